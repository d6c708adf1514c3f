// How: compares the reference pages with the catalogues and the settings that the code really has.
import { describe, expect, it } from 'vitest';
import { cliErrorCatalogue } from '../../apps/cli/src/errors.js';
import { allSettings } from '../../apps/cli/src/settings/table.js';
import { clientErrorCatalogue, errorCatalogue } from '../../packages/control/src/errors.js';
import { ERRORS } from '../../packages/client/src/errors.js';
import { OT } from '../../packages/client/src/ot.js';
import {
  clientRequest,
  moveFailure,
  nodeErrorCode,
  signallingEvent,
} from '../../packages/protocol/src/index.js';
import { storageErrorCatalogue } from '../../packages/storage/src/errors.js';
import { files, isTest, isTypeScript, read } from './repository.js';

const SETTING_NAME = /\bGODWIT_[A-Z][A-Z0-9_]*[A-Z]\b/g;

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
    const used = new Set(source.flatMap((text) => text.match(SETTING_NAME) ?? []));
    used.add('GODWIT_TEST_CHROMIUM').add('GODWIT_E2E_MOVES');
    const documented = new Set(read('docs/reference/settings.md').match(SETTING_NAME) ?? []);
    expect({
      undocumented: [...used].filter((name) => !documented.has(name)),
      unused: [...documented].filter((name) => !used.has(name)),
    }).toEqual({ undocumented: [], unused: [] });
  });

  it('has each setting in the table of a process, from which the page is made', () => {
    const tabled = new Set(Object.keys(allSettings));
    const named = files
      .filter((file) => /^(packages|apps)\//.test(file) && isTypeScript(file) && !isTest(file))
      .filter((file) => !/\/testing\/|^packages\/simulation\//.test(file))
      .flatMap((file) => (read(file).match(SETTING_NAME) ?? []).map((name) => ({ file, name })));
    expect(named.filter(({ name }) => !tabled.has(name))).toEqual([]);
  });

  it('names every request and event of signalling', () => {
    const page = read('docs/reference/signalling.md');
    const names = [
      ...clientRequest.options.map(({ shape }) => shape.type.value),
      ...signallingEvent.options.map(({ shape }) => shape.event.value),
    ];
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name) => !page.includes(`| \`${name}\` `))).toEqual([]);
  });

  it('says of each call of the SDK whether it is there', () => {
    const page = read('docs/reference/client-sdk.md');
    const sources = {
      Session: 'packages/client/src/session/session.ts',
      Publisher: 'packages/client/src/publisher/publisher.ts',
      Subscriber: 'packages/client/src/subscriber/subscriber.ts',
    };
    const wrong = Object.entries(sources).flatMap(([heading, file]) => {
      const source = read(file);
      const isThere = (name: string): boolean =>
        new RegExp(`^  (readonly |get |async )?${name}\\b ?[(:=<]`, 'm').test(source);
      return tableOf(page, heading, 'member').filter(({ name, there }) => isThere(name) !== there);
    });
    expect(wrong).toEqual([]);
    const calls = tableOf(page, 'OT', 'call');
    expect(calls.filter(({ name, there }) => name in OT !== there)).toEqual([]);
    const functions = Object.entries(OT).filter(([, value]) => typeof value === 'function');
    expect(functions.filter(([name]) => !new RegExp(`\\b${name}\\b`).test(page))).toEqual([]);
  });

  it('says of each event of the SDK whether it is there', () => {
    const page = read('docs/reference/client-sdk.md');
    const sources = {
      Session: 'packages/client/src/session/sessionEvents.ts',
      Publisher: 'packages/client/src/publisher/publisherEvents.ts',
      Subscriber: 'packages/client/src/subscriber/subscriberEvents.ts',
    };
    const wrong = Object.entries(sources).flatMap(([heading, file]) => {
      const source = read(file);
      const isThere = (name: string): boolean => new RegExp(`^  ${name}: `, 'm').test(source);
      return tableOf(page, heading, 'event')
        .filter(({ name }) => /^\w+$/.test(name))
        .filter(({ name, there }) => isThere(name) !== there);
    });
    expect(wrong).toEqual([]);
  });

  it('has the number of each error of the SDK that it names', () => {
    const rows = [...read('docs/reference/client-sdk.md').matchAll(/^\| `(OT_\w+)` +\| (\d+) +\|/gm)];
    expect(rows.length).toBeGreaterThan(10);
    const named = rows.map(([, name = '', code]) => [name, Number(code)]);
    const actual = rows.map(([, name = '']) => [
      name,
      (ERRORS as Record<string, { code: number }>)[name]?.code,
    ]);
    expect(named).toEqual(actual);
  });
});

/** Names of a table's first column under a heading, and whether the second says that they are there. */
function tableOf(page: string, heading: string, column: string): { name: string; there: boolean }[] {
  const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  const [, table = ''] = section.split(new RegExp(`^\\| ${column} +\\|.*\\n.*\\n`, 'm'));
  const rows = table.split('\n\n')[0]?.split('\n') ?? [];
  const found = rows.flatMap((row) => {
    const [, names = '', there = ''] = row.split('|');
    return [...names.matchAll(/`([^`]+)`/g)].map(([, name = '']) => ({ name, there: there.trim() !== 'no' }));
  });
  expect(found.length).toBeGreaterThan(5);
  return found;
}
