// `npm run proof:<name>`: one of the long proofs, for whose short forms the ordinary tests have no time. GODWIT_E2E_MOVES sets
// another number of moves.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureBuilt } from './lib/build.mjs';
import { ensureInstalled } from './lib/install.mjs';
import { requireNodeVersion } from './lib/node-version.mjs';
import { run } from './lib/run.mjs';
import { canRunBrowserTests, requireTestTools } from './lib/test-tools.mjs';

const PROOFS = {
  /** The handover test with 100 moves, each beside a sham. */
  handover: { test: 'tests/e2e/handover.test.ts', env: { GODWIT_E2E_MOVES: '100' } },
  /** A Firefox and a Chromium in one call: 20 moves, each beside a sham. */
  firefox: { test: 'tests/e2e/firefox.test.ts', env: { GODWIT_E2E_MOVES: '20' } },
  /** One call, moved 1,000 times: what is left behind. */
  'thousand-moves': { test: 'tests/e2e/thousand-moves.test.ts', env: { GODWIT_E2E_MOVES: '1000' } },
  /** A call that moves all the time while people come, go, mute and change networks. */
  races: { test: 'tests/e2e/races.test.ts', env: {} },
  /** One Chromium that receives fifty streams over one connection. */
  'fifty-streams': { test: 'tests/e2e/fifty-streams.test.ts', env: {} },
  /** A thousand clients that join while control is killed, on both databases. */
  joins: { test: 'tests/e2e/joins.test.ts', env: {} },
  /** The database stopped for a minute beside a call of two, with control and without. */
  'database-away': { test: 'tests/e2e/database-away.test.ts', env: {} },
  /** Three controls on one PostgreSQL, one killed every few seconds, beside forty clients that signal and a call of two. */
  replicas: { test: 'tests/e2e/replicas.test.ts', env: {} },
  /** Every fault at every step of a move, with peers instead of browsers; writes docs/reports/faults.md. */
  faults: { test: 'tests/e2e/faults.test.ts', env: { GODWIT_E2E_FAULTS: 'all' } },
};

const name = process.argv[2] ?? '';
const proof = PROOFS[name];
if (proof === undefined) {
  console.error(`godwit: there is no proof "${name}". There are: ${Object.keys(PROOFS).join(', ')}`);
  process.exit(1);
}
const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
requireNodeVersion();
if (!canRunBrowserTests()) {
  console.error(`godwit: the proof needs Linux and root. Run: sudo npm run proof:${name}`);
  process.exit(1);
}
await ensureInstalled(root);
await ensureBuilt(root);
// Tells the tests that this is a proof: some have no short form, others compare more in the long one.
const env = { GODWIT_E2E_PROOFS: '1', ...proof.env, ...process.env, ...(await requireTestTools()) };
const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
const test = ['--config', 'tests/e2e/vitest.config.ts', proof.test];
process.exit(await run(process.execPath, [vitest, 'run', ...test], { cwd: root, env }));
