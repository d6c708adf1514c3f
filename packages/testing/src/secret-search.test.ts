import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SecretSearch } from './secret-search.js';

const SECRET = 'päss word/with+signs"and\nlines';

function searching(secret: string | Buffer = SECRET): SecretSearch {
  const search = new SecretSearch();
  search.add('the secret', secret);
  return search;
}

describe('a search for secrets', () => {
  it.each([
    ['as it is', (text: string) => text],
    ['in hex', (text: string) => Buffer.from(text).toString('hex')],
    ['in base64', (text: string) => Buffer.from(text).toString('base64')],
    ['in base64url', (text: string) => Buffer.from(text).toString('base64url')],
    ['in a header of basic authentication', (text: string) => Buffer.from(`u:${text}`).toString('base64')],
    ['in JSON', (text: string) => JSON.stringify({ text })],
    ['in a URL', (text: string) => new URL(`http://host/?q=${encodeURIComponent(text)}`).href],
    ['as the bytes of a Buffer in JSON', (text: string) => JSON.stringify(Buffer.from(text))],
  ])('finds one that is planted %s, and says where', (_how, plant) => {
    const [finding] = searching().find('a log', `before ${plant(SECRET)} after`);
    expect(finding).toMatchObject({ secret: 'the secret', where: 'a log' });
  });

  it('finds one at any place of something that was encoded as a whole', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 16, maxLength: 40 }),
        fc.uint8Array({ maxLength: 10 }),
        fc.uint8Array({ maxLength: 10 }),
        fc.constantFrom('base64' as const, 'base64url' as const, 'hex' as const),
        (secret, before, after, encoding) => {
          const text = Buffer.concat([before, secret, after]).toString(encoding);
          expect(searching(Buffer.from(secret)).find('a text', text)).not.toEqual([]);
        },
      ),
    );
  });

  it('finds nothing where nothing is', () => {
    expect(searching().find('a log', 'nothing of interest, but many words')).toEqual([]);
  });

  it('looks into the files of a folder, and not into those that may hold secrets', () => {
    const folder = mkdtempSync(join(tmpdir(), 'godwit-secrets-'));
    try {
      mkdirSync(join(folder, 'base'));
      writeFileSync(join(folder, 'base', '1'), `\0\0${SECRET}\0`);
      writeFileSync(join(folder, 'secrets.json'), SECRET);
      const found = searching().findInFolder(folder, (path) => path === 'secrets.json');
      expect(found.map(({ where }) => where)).toEqual([join('base', '1')]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('takes no secret that would be found by chance', () => {
    expect(() => searching('short')).toThrow('too short');
  });
});
