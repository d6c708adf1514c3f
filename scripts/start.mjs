// `npm start`: installs and builds what is needed, then becomes `godwit up`.
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ensureBuilt } from './lib/build.mjs';
import { ensureInstalled } from './lib/install.mjs';
import { requireNodeVersion } from './lib/node-version.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

console.log('godwit: starting …');
requireNodeVersion();
await ensureInstalled(root);
await ensureBuilt(root);

// The command runs in this very process: one process fewer between the terminal's signals and the platform.
const cli = await import(pathToFileURL(path.join(root, 'apps', 'cli', 'dist', 'index.js')).href);
await cli.run(['up', ...process.argv.slice(2)]);
