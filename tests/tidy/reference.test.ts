// How: compares the reference pages with the catalogues and the settings that the code really has.
import { describe, expect, it } from 'vitest';
import { cliErrorCatalogue } from '../../apps/cli/src/errors.js';
import { clientErrorCatalogue, errorCatalogue } from '../../packages/control/src/errors.js';
import { moveFailure, nodeErrorCode } from '../../packages/protocol/src/index.js';
import { storageErrorCatalogue } from '../../packages/storage/src/errors.js';
import { files, isTest, isTypeScript, read } from './repository.js';

describe('the reference', () => {
  it('lists every error of every catalogue', () => {
    const page = read('docs/reference/errors.md').replace(/ +/g, ' ');
    const expected = [
      ...Object.entries(errorCatalogue).map(
        ([name, { status, code, message }]) => `| \`${name}\` | ${status} | ${code} | ${message} |`,
      ),
      ...Object.entries(clientErrorCatalogue).map(
        ([entry, { code, name }]) => `| \`${entry}\` | ${code} | \`${name}\` |`,
      ),
      ...Object.entries(cliErrorCatalogue).map(([name, { exitCode }]) => `| \`${name}\` | ${exitCode} |`),
      ...Object.keys(storageErrorCatalogue).map((name) => `| \`${name}\` |`),
      ...[...nodeErrorCode.options, ...moveFailure.options].map((code) => `\`${code}\``),
    ];
    expect(expected.filter((line) => !page.includes(line))).toEqual([]);
  });

  it('lists every setting that the code reads, and no other', () => {
    const source = files.filter((file) => isTypeScript(file) && !isTest(file)).map(read);
    const used = new Set(source.flatMap((text) => text.match(/\bGODWIT_[A-Z][A-Z0-9_]*[A-Z]\b/g) ?? []));
    used.add('GODWIT_TEST_CHROMIUM').add('GODWIT_E2E_MOVES');
    const documented = new Set(
      read('docs/reference/settings.md').match(/\bGODWIT_[A-Z][A-Z0-9_]*[A-Z]\b/g) ?? [],
    );
    expect({
      undocumented: [...used].filter((name) => !documented.has(name)),
      unused: [...documented].filter((name) => !used.has(name)),
    }).toEqual({ undocumented: [], unused: [] });
  });
});
