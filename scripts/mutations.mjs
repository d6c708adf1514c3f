// `npm run proof:mutations [-- name …]`: removes safeguards from the source, one at a time, and looks for a seed that notices.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { MUTATIONS } from '../packages/simulation/loader/mutations.mjs';
import { ensureBuilt } from './lib/build.mjs';
import { ensureInstalled } from './lib/install.mjs';
import { requireNodeVersion } from './lib/node-version.mjs';

/** Seeds that are tried for each. */
const RUNS_MAX = process.env.GODWIT_MUTATION_RUNS ?? '600';
const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const loader = path.join(root, 'packages', 'simulation', 'loader', 'mutate.mjs');
const cli = path.join(root, 'packages', 'simulation', 'dist', 'cli.js');

/** Answers the first seed that broke an invariant, which one, and after how many runs; null when none did. */
function simulate(mutation) {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, GODWIT_MUTATION: JSON.stringify(mutation) };
    const faults = mutation.faults === undefined ? [] : ['--faults', mutation.faults];
    const args = ['--import', loader, cli, '--seed', '1', '--runs', RUNS_MAX, '--brief', ...faults];
    const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (bytes) => (text += bytes));
    child.on('error', reject);
    child.on('close', (code) => {
      const found = /^(\d+) (\S+)/m.exec(text);
      if (code === 1 && found) resolve({ seed: Number(found[1]), invariant: found[2] });
      else if (code === 0) resolve(null);
      else reject(new Error(`the mutation ${mutation.name} could not be simulated`));
    });
  });
}

requireNodeVersion();
await ensureInstalled(root);
await ensureBuilt(root);
const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const reportAt = process.argv.find((argument) => argument.startsWith('--report='))?.slice('--report='.length);
const chosen = MUTATIONS.filter(({ name }) => names.length === 0 || names.includes(name));
const rows = [];
let missed = 0;
for (const mutation of chosen) {
  const caught = await simulate(mutation);
  if (caught === null) missed += 1;
  const result = caught === null ? 'NOT CAUGHT' : `seed ${caught.seed}, ${caught.invariant}`;
  console.log(`${mutation.name.padEnd(26)} ${result}`);
  rows.push(
    `| ${mutation.name} | ${mutation.why} | ${caught?.seed ?? 'none'} | ${caught?.invariant ?? ''} |`,
  );
}
console.log(`${chosen.length - missed} of ${chosen.length} removed safeguards were noticed`);
if (reportAt !== undefined) {
  const date = new Date().toISOString().slice(0, 10);
  const lines = [
    '# Removed safeguards',
    '',
    `${date}, \`npm run proof:mutations\`: each line is one safeguard taken out of the source, and the first seed from 1 on whose run`,
    `broke an invariant; at most ${RUNS_MAX} were tried. Seeds are tried in order, so the seed is also the number of runs that it took.`,
    '',
    '| safeguard | what it is for | first seed | by which invariant |',
    '| --- | --- | --: | --- |',
    ...rows,
    '',
  ];
  writeFileSync(reportAt, lines.join('\n'));
}
process.exit(missed === 0 ? 0 : 1);
