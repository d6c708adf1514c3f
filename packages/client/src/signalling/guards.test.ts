import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isConnectResult, isOfferResult, parseServerMessage } from './guards.js';

describe('messages of the server', () => {
  it('are told apart', () => {
    expect(parseServerMessage('{"replyTo":3,"ok":true,"result":{}}')).toMatchObject({
      kind: 'result',
      replyTo: 3,
    });
    const error = { code: 1010, name: 'OT_NOT_CONNECTED', message: 'no' };
    const refusal = JSON.stringify({ replyTo: null, ok: false, error });
    expect(parseServerMessage(refusal)).toEqual({ kind: 'error', replyTo: null, error });
    const event = { event: 'moveEnded', moveId: 'a', outcome: 'completed', nodeId: 'n', seq: 1 };
    expect(parseServerMessage(JSON.stringify(event))).toEqual({ kind: 'event', event });
  });

  it.each([
    ['no JSON', '{'],
    ['an unknown event', '{"event":"surprise","seq":1}'],
    ['an event named like a prototype member', '{"event":"constructor","seq":1}'],
    ['an event without a number', '{"event":"sessionDestroyed","reason":"x"}'],
    ['a stream without its fields', '{"event":"streamCreated","seq":1,"stream":{"streamId":"a"}}'],
    ['candidates that are no list', '{"event":"moveCandidate","seq":1,"moveId":"a","candidates":{}}'],
    [
      'a changed property of the wrong type',
      '{"event":"streamPropertyChanged","seq":1,"streamId":"a","changedProperty":"hasVideo","newValue":"yes"}',
    ],
    ['a reply without an outcome', '{"replyTo":1}'],
    ['a message over the limit', JSON.stringify({ replyTo: 1, ok: true, result: 'x'.repeat(600_000) })],
  ])('are refused when they are %s', (_name, text) => {
    expect(parseServerMessage(text)).toBeUndefined();
  });

  it('never make the parser throw', () => {
    const json = fc.json().map((text): unknown => text);
    fc.assert(fc.property(fc.oneof(json, fc.anything()), (data) => void parseServerMessage(data)));
    const nearly = fc.record({
      event: fc.constantFrom('streamCreated', 'moveCandidate', 'connectionCreated', 'streamPropertyChanged'),
      seq: fc.nat(),
      stream: fc.jsonValue(),
      candidates: fc.jsonValue(),
      connection: fc.jsonValue(),
      changedProperty: fc.jsonValue(),
      newValue: fc.jsonValue(),
    });
    fc.assert(fc.property(nearly, (message) => void parseServerMessage(JSON.stringify(message))));
    fc.assert(fc.property(fc.jsonValue(), (value) => void (isConnectResult(value) || isOfferResult(value))));
  });
});
