// How: searches the text of every file for what must not be committed.
import { describe, expect, it } from 'vitest';
import { files, isTypeScript, read } from './repository.js';

/** This file spells the words that it forbids. */
const SELF = 'tests/tidy/words.test.ts';
const texts = files.filter(
  (file) =>
    file !== SELF && file !== 'package-lock.json' && /\.(tsx?|mjs|js|json|md|css|html|ya?ml|sh)$/.test(file),
);
const code = texts.filter(isTypeScript);

/** "file:line: text" of every line that matches. */
function matches(among: readonly string[], pattern: RegExp): string[] {
  return among.flatMap((file) =>
    read(file)
      .split('\n')
      .map((text, index) => ({ text, line: index + 1 }))
      .filter(({ text }) => pattern.test(text))
      .map(({ text, line }) => `${file}:${line}: ${text.trim().slice(0, 120)}`),
  );
}

describe('words', () => {
  it('leave nothing "to be done" in the code', () => {
    expect(matches(texts, /\b(TODO|FIXME|XXX|HACK)\b/)).toEqual([]);
  });

  it('neither skip a test nor single one out', () => {
    expect(
      matches(code, /\b(it|test|describe)(\.\w+)*\.(only|skip|todo|fails)\b|\b(xit|fit|xdescribe)\(/),
    ).toEqual([]);
  });

  it('name no folder of somebody’s machine', () => {
    expect(matches(texts, /(^|[\s"'`(=])\/(home|Users|root|work|private)\/\w/)).toEqual([]);
  });

  it('log no secret', () => {
    const secret =
      '\\b(secret|apiSecret|joinKey|adminToken|token|password|pwd|masterKey|salt|privateKey|sdp)\\b';
    const logCall = new RegExp(
      `\\b(log|logger|console)\\.(trace|debug|info|warn|error|fatal|log)\\(.*[{,(\\s.]${secret}\\s*[,})]`,
    );
    expect(
      matches(
        code.filter((file) => !/\.test\.ts$/.test(file)),
        logCall,
      ),
    ).toEqual([]);
  });

  it('put no secret on a command line or into a URL', () => {
    const secret = '(secret|joinKey|adminToken|password|masterKey|privateKey)';
    expect(
      matches(
        code.filter((file) => !/\.test\.ts$/.test(file)),
        new RegExp(`[?&]${secret}=|--${secret}\\b`, 'i'),
      ),
    ).toEqual([]);
  });
});
