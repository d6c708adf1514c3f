#!/usr/bin/env node
// In the repository from the start, because npm links only commands that exist when it installs.
import { existsSync } from 'node:fs';

const built = new URL('../dist/main.js', import.meta.url);
if (existsSync(built)) {
  await import(built.href);
} else {
  console.error('godwit: not built yet. Run npm start, or npm run build.');
  process.exitCode = 78;
}
