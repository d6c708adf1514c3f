// How: compares the manifests with docs/dependencies.md.
import { describe, expect, it } from 'vitest';
import { files, read } from './repository.js';

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const dependencies = files
  .filter((file) => /^((packages|apps)\/[^/]+\/)?package\.json$/.test(file))
  .map((file) => JSON.parse(read(file)) as Manifest)
  .flatMap(({ name: owner, dependencies: product = {}, devDependencies = {} }) =>
    Object.entries({ ...product, ...devDependencies }).map(([name, version]) => ({ owner, name, version })),
  );

describe('dependencies', () => {
  it('are pinned to one exact version', () => {
    const loose = dependencies.filter(({ version }) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version));
    expect(loose).toEqual([]);
  });

  it('have the same version everywhere', () => {
    const versions = new Map<string, Set<string>>();
    for (const { name, version } of dependencies) {
      versions.set(name, (versions.get(name) ?? new Set()).add(version));
    }
    expect([...versions].filter(([, set]) => set.size > 1)).toEqual([]);
  });

  it('are each explained, with their version, in docs/dependencies.md', () => {
    const document = read('docs/dependencies.md').replace(/ +/g, ' ');
    const unexplained = dependencies
      .filter(({ name }) => !name.startsWith('@godwit/'))
      .filter(({ name, version }) => !document.includes(`| \`${name}\` | ${version} |`))
      .map(({ name, version }) => `${name} ${version}`);
    expect([...new Set(unexplained)]).toEqual([]);
  });
});
