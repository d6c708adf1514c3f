// How: reads the imports of every TypeScript file and compares them with the ranks below.
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { files, importsOf, isTest, isTypeScript, workspaces } from './repository.js';

/** Arrows point down: a package may import only packages of a lower rank. */
const RANKS: Readonly<Record<string, number>> = {
  protocol: 0,
  rtp: 1,
  datapath: 2,
  transport: 3,
  'datapath-js': 4,
  sfu: 5,
  rotation: 5,
  storage: 6,
  client: 6,
  node: 7,
  control: 8,
  simulation: 9,
  cli: 10,
  dashboard: 10,
};
/** Helpers of tests: may import anything, imported by tests alone. */
const TEST_ONLY = 'testing';
/** Second doors that exist for tests of implementations. */
const TEST_DOORS = new Set(['contract', 'testing']);
/** Doors behind which the decisions of a process stand without the process, for the package that simulates it. */
const CORE_DOOR = 'core';
const SIMULATION = 'simulation';

interface Import {
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly door: string | undefined;
}

const shortName = (file: string): string | undefined => /^(?:packages|apps)\/([^/]+)\//.exec(file)?.[1];

const siblingImports: readonly Import[] = files.filter(isTypeScript).flatMap((file) => {
  const from = shortName(file);
  if (from === undefined) return [];
  return importsOf(file).flatMap((name) => {
    const match = /^@godwit\/([^/]+)(?:\/(.+))?$/.exec(name);
    return match?.[1] === undefined ? [] : [{ file, from, to: match[1], door: match[2] }];
  });
});

const isProduct = ({ file, from }: Import): boolean =>
  !isTest(file) && from !== TEST_ONLY && !file.includes('/src/contract');
const describeImport = ({ file, to }: Import): string => `${file} imports ${to}`;

describe('layers', () => {
  it('gives every package a rank', () => {
    const unranked = workspaces
      .map(({ folder }) => path.basename(folder))
      .filter((name) => RANKS[name] === undefined && name !== TEST_ONLY);
    expect(unranked).toEqual([]);
  });

  it('lets imports between packages point down only', () => {
    const upward = siblingImports
      .filter(isProduct)
      .filter(
        ({ from, to }) => to !== TEST_ONLY && from !== to && !((RANKS[to] ?? Infinity) < (RANKS[from] ?? -1)),
      );
    expect(upward.map(describeImport)).toEqual([]);
  });

  it('keeps test helpers out of products', () => {
    const leaks = siblingImports
      .filter(isProduct)
      .filter(({ from }) => from !== SIMULATION)
      .filter(({ to, door }) => to === TEST_ONLY || (door !== undefined && TEST_DOORS.has(door)));
    expect(leaks.map(describeImport)).toEqual([]);
  });

  it('enters a sibling by its door only', () => {
    const isDoor = ({ from, door }: Import): boolean =>
      door === undefined || TEST_DOORS.has(door) || (door === CORE_DOOR && from === SIMULATION);
    const byWindow = siblingImports.filter((imported) => !isDoor(imported));
    expect(byWindow.map(describeImport)).toEqual([]);
  });

  it('does not climb out of a package by a relative path', () => {
    const climbing = files.filter(isTypeScript).flatMap((file) => {
      const home = /^(?:packages|apps)\/[^/]+\//.exec(file)?.[0];
      if (home === undefined) return [];
      return importsOf(file)
        .filter((name) => name.startsWith('.'))
        .filter((name) => !path.posix.join(path.posix.dirname(file), name).startsWith(home))
        .map((name) => `${file} imports ${name}`);
    });
    expect(climbing).toEqual([]);
  });

  it('declares each sibling and library that product code imports', () => {
    const undeclared = files
      .filter(isTypeScript)
      .filter(
        (file) => !isTest(file) && /^(packages|apps)\/[^/]+\/src\//.test(file) && !file.includes('/testing/'),
      )
      .filter((file) => !file.includes('/src/contract'))
      .flatMap((file) => {
        const workspace = workspaces.find(({ folder }) => file.startsWith(`${folder}/`));
        return importsOf(file)
          .filter((name) => !name.startsWith('.') && !name.startsWith('node:'))
          .map((name) =>
            name
              .split('/')
              .slice(0, name.startsWith('@') ? 2 : 1)
              .join('/'),
          )
          .filter((name) => name !== workspace?.name && workspace?.dependencies[name] === undefined)
          .map(
            (name) => `${file} imports ${name}, which ${workspace?.folder ?? '?'}/package.json does not name`,
          );
      });
    expect(undeclared).toEqual([]);
  });
});
