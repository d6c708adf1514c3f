import { SIGNALLING_PATH as PROTOCOL_PATH } from '@godwit/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SIGNALLING_PATH, httpUrl, signallingUrl, tokenUrl } from './url.js';

const jwt = (claims: unknown): string =>
  ['header', Buffer.from(JSON.stringify(claims)).toString('base64url'), 'signature'].join('.');

describe('the url claim of a token', () => {
  it('names the system', () => {
    expect(tokenUrl(jwt({ url: 'https://b.example.test/base/' }))).toBe('https://b.example.test/base');
    expect(tokenUrl(jwt({ url: 'http://10.0.0.1:4600', data: 'ä€𝄞>>>???' }))).toBe('http://10.0.0.1:4600');
  });

  it.each([
    ['another scheme', jwt({ url: 'javascript:alert(1)' })],
    ['no URL', jwt({ url: 'b.example.test' })],
    ['no string', jwt({ url: 7 })],
    ['no claim', jwt({})],
    ['claims that are null', jwt(null)],
    ['a T1 token', 'T1==cGFydG5lcl9pZD0x'],
  ])('is ignored with %s', (_name, token) => {
    expect(tokenUrl(token)).toBeUndefined();
  });

  it('is read from any text without throwing', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `a.${text}.b`),
        ),
        (text) => void tokenUrl(text),
      ),
    );
  });
});

describe('addresses', () => {
  it('lead to the signalling path of the protocol', () => {
    expect(SIGNALLING_PATH).toBe(PROTOCOL_PATH);
    expect(signallingUrl('https://a.test')).toBe('wss://a.test/v1/signalling');
    expect(signallingUrl('http://127.0.0.1:4600')).toBe('ws://127.0.0.1:4600/v1/signalling');
  });

  it('drop query, fragment and credentials', () => {
    expect(httpUrl('https://user:password@a.test/x?y#z')).toBe('https://a.test/x');
  });
});
