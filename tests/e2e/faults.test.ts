// How: every runner is a process in a network namespace of its own, with a control, three nodes and its clients; it works
// off a share of the cells. `npm run proof:faults` has all cells and writes docs/reports/faults.md.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { format } from 'prettier';
import { makeNetworkNamespace } from '@godwit/testing';
import { allCells, nameOf, shortCells, type Cell, type CellResult } from './faults/matrix.js';
import { faultsReport } from './faults/report.js';

const RUNNER = fileURLToPath(new URL('./faults/runner.ts', import.meta.url));
const REPORT = fileURLToPath(new URL('../../docs/reports/faults.md', import.meta.url));
const isFull = process.env['GODWIT_E2E_FAULTS'] === 'all';
const cells = isFull ? allCells() : shortCells();
/** Most of a cell is waiting, so that two cores serve more than two. */
const RUNNERS = isFull ? 4 : 3;
const CELL_TIMEOUT_MS = isFull ? 45 * 60_000 : 5 * 60_000;
const MINUTE_MS = 60_000;

interface Awaited {
  readonly cell: Cell;
  readonly result: Promise<CellResult & { readonly log: readonly string[] }>;
  resolve(result: CellResult & { readonly log: readonly string[] }): void;
  reject(error: Error): void;
}

function awaited(cell: Cell): Awaited {
  let resolve: Awaited['resolve'] = () => undefined;
  let reject: Awaited['reject'] = () => undefined;
  const result = new Promise<CellResult & { log: readonly string[] }>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  result.catch(() => undefined);
  return { cell, result, resolve, reject };
}

/** Works off the cells in a namespace of its own; resolves when its process has ended. */
function run(share: readonly Awaited[]): Promise<void> {
  const namespace = makeNetworkNamespace();
  const folder = mkdtempSync(join(tmpdir(), 'godwit-faults-'));
  const file = join(folder, 'cells.json');
  writeFileSync(file, JSON.stringify(share.map(({ cell }) => cell)));
  const node = [process.execPath, '--conditions=godwit-source', '--import', 'tsx', RUNNER, file];
  const [command = '', ...args] = [...namespace.prefix, ...node];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const waiting = [...share];
  createInterface({ input: child.stdout }).on('line', (line) => {
    const result = JSON.parse(line) as CellResult & { log: readonly string[] };
    const at = waiting.findIndex(
      ({ cell }) => cell.step === result.step && nameOf(cell.fault) === result.fault,
    );
    waiting.splice(at, 1)[0]?.resolve(result);
  });
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      for (const each of waiting) each.reject(new Error(`the runner ended: ${code ?? signal ?? ''}`));
      namespace.remove();
      rmSync(folder, { recursive: true, force: true });
      resolve();
    });
  });
}

describe('a live call whose move meets a fault', { retry: 0 }, () => {
  const all = cells.map(awaited);
  const startedAtMs = Date.now();
  let runners: Promise<void>[] = [];

  beforeAll(() => {
    runners = Array.from({ length: RUNNERS }, (_, number) =>
      run(all.filter((_each, at) => at % RUNNERS === number)),
    );
  });

  afterAll(async () => {
    await Promise.all(runners);
    if (!isFull) return;
    const settled = await Promise.allSettled(all.map(({ result }) => result));
    const results = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    const text = faultsReport(results, {
      date: new Date().toISOString().slice(0, 10),
      command: '`npm run proof:faults`',
      machine: `${cpus().length} cores, Node ${process.versions.node}, ${RUNNERS} platforms at a time`,
      minutes: Math.round((Date.now() - startedAtMs) / MINUTE_MS),
    });
    writeFileSync(REPORT, await format(text, { parser: 'markdown', printWidth: 140 }));
  }, CELL_TIMEOUT_MS);

  it.each(all.map((each) => [`${nameOf(each.cell.fault)} at "${each.cell.step}"`, each] as const))(
    '%s',
    { timeout: CELL_TIMEOUT_MS },
    async (name, { result }) => {
      const { log, ...cell } = await result;
      process.stdout.write(
        `${name}: ${cell.outcome}, gap ${cell.gapMs} ms, lost ${cell.lost}, migration ${cell.migration}\n`,
      );
      expect(cell.wrong, log.join('\n')).toEqual([]);
      expect(cell.allowed).toContain(cell.outcome);
    },
  );
});
