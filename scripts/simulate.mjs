// `npm run simulate:handover -- --seed N --runs N`: moves under a virtual clock and a faulty virtual network.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureBuilt } from './lib/build.mjs';
import { ensureInstalled } from './lib/install.mjs';
import { requireNodeVersion } from './lib/node-version.mjs';
import { run } from './lib/run.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
requireNodeVersion();
await ensureInstalled(root);
await ensureBuilt(root);
const cli = path.join(root, 'packages', 'simulation', 'dist', 'cli.js');
process.exit(await run(process.execPath, [cli, ...process.argv.slice(2)], { cwd: root }));
