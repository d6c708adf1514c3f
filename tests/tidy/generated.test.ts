// How: makes the generated reference pages anew and compares them with those that are checked in.
import { expect, it } from 'vitest';
import { referencePages } from '../../scripts/lib/reference-pages.js';
import { read, root } from './repository.js';

it('the reference pages that are made from the code are current: npm run reference writes them', async () => {
  for (const { file, text } of await referencePages(root)) expect(read(file), file).toBe(text);
}, 60_000);
