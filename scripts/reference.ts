// Writes the reference pages that are made from the code.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { referencePages } from './lib/reference-pages.js';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
for (const { file, text } of await referencePages(root)) {
  writeFileSync(path.join(root, file), text);
  console.log(`godwit: ${file}`);
}
process.exit(0);
