// `npm run proof:handover`: the handover test with 100 moves, each beside a sham. GODWIT_E2E_MOVES sets another number.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureBuilt } from './lib/build.mjs';
import { ensureInstalled } from './lib/install.mjs';
import { requireNodeVersion } from './lib/node-version.mjs';
import { run } from './lib/run.mjs';
import { canRunBrowserTests, requireTestTools } from './lib/test-tools.mjs';

const MOVES = '100';
const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

requireNodeVersion();
if (!canRunBrowserTests()) {
  console.error('godwit: the proof needs Linux and root. Run: sudo npm run proof:handover');
  process.exit(1);
}
await ensureInstalled(root);
await ensureBuilt(root);
const env = { GODWIT_E2E_MOVES: MOVES, ...process.env, GODWIT_TEST_CHROMIUM: await requireTestTools() };
const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
const test = ['--config', 'tests/e2e/vitest.config.ts', 'tests/e2e/handover.test.ts'];
process.exit(await run(process.execPath, [vitest, 'run', ...test], { cwd: root, env }));
