import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from './repository.js';

interface Edit {
  readonly file: string;
  readonly find: string;
}
type Mutation = Edit & { readonly name: string; readonly also?: readonly Edit[] };

// Plain JavaScript without declarations: it is read by the loader of the proof.
const { MUTATIONS } = (await import(join(root, 'packages/simulation/loader/mutations.mjs'))) as {
  MUTATIONS: readonly Mutation[];
};

it.each(MUTATIONS.map((mutation) => [mutation.name, mutation] as const))(
  'the removed safeguard %s fits the source in one place',
  (_name, mutation) => {
    for (const { file, find } of [mutation, ...(mutation.also ?? [])])
      expect(readFileSync(join(root, file), 'utf8').split(find)).toHaveLength(2);
  },
);
