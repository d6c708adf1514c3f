// `npm test`: prepares what the tests need, runs every level, and ends with the sum over all of them.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureBuilt } from './lib/build.mjs';
import { ensureInstalled } from './lib/install.mjs';
import { requireNodeVersion } from './lib/node-version.mjs';
import { run } from './lib/run.mjs';
import { canRunBrowserTests, requireTestTools } from './lib/test-tools.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const tools = path.join(root, 'node_modules');

/** From cheap to dear: the first failures are the ones that take least time to see. */
const LEVELS = [
  { title: 'Lint', tool: 'eslint/bin/eslint.js', args: ['.', '--max-warnings', '0'] },
  { title: 'Format', tool: 'prettier/bin/prettier.cjs', args: ['--check', '--log-level', 'warn', '.'] },
  { title: 'Types of the tests', tool: 'typescript/bin/tsc', args: ['-p', 'tsconfig.tests.json'] },
  { title: 'Tidy: the repository itself', suite: ['tests/tidy'] },
  { title: 'Unit and contract', suite: ['packages', 'apps'] },
  { title: 'Simulation: moves under faults', suite: ['--config', 'tests/simulation/vitest.config.ts'] },
];
const BROWSER_LEVEL = {
  title: 'Browsers: the whole platform',
  suite: ['--config', 'tests/e2e/vitest.config.ts'],
};

/** A single tool counts as one test. */
async function runTool({ tool, args }) {
  const code = await run(process.execPath, [path.join(tools, tool), ...args], { cwd: root });
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

async function runSuite({ suite }, folder) {
  const report = path.join(folder, 'report.json');
  rmSync(report, { force: true });
  const vitest = [path.join(tools, 'vitest/vitest.mjs'), 'run', ...suite];
  const code = await run(
    process.execPath,
    [...vitest, '--reporter=default', '--reporter=json', `--outputFile=${report}`],
    {
      cwd: root,
    },
  );
  const counts = readCounts(report);
  // A suite that could not even be loaded, or an error outside of every test, fails without a failed test.
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

function readCounts(report) {
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8'));
    return { passed: numPassedTests, failed: numFailedTests };
  } catch {
    return { passed: 0, failed: 1 };
  }
}

requireNodeVersion();
await ensureInstalled(root);
await ensureBuilt(root);
const isComplete = canRunBrowserTests();
if (isComplete) Object.assign(process.env, await requireTestTools());

const folder = mkdtempSync(path.join(tmpdir(), 'godwit-test-'));
const total = { passed: 0, failed: 0 };
const summary = [];
for (const level of isComplete ? [...LEVELS, BROWSER_LEVEL] : LEVELS) {
  console.log(`\n=== ${level.title} ===`);
  const { passed, failed } = await (level.suite ? runSuite(level, folder) : runTool(level));
  total.passed += passed;
  total.failed += failed;
  summary.push(`${failed === 0 ? 'ok  ' : 'FAIL'} ${level.title}: ${passed} passed, ${failed} failed`);
}
rmSync(folder, { recursive: true, force: true });
if (!isComplete) summary.push(`NOT RUN ${BROWSER_LEVEL.title}: needs Linux and root. Run: sudo npm test`);
console.log(`\n${summary.join('\n')}\n\n${total.passed} passed, ${total.failed} failed`);
process.exit(isComplete && total.failed === 0 ? 0 : 1);
