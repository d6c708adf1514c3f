// Runs cells one after the other in the network namespace that it was started in; the file named by the first argument
// holds them. One line of JSON for each result.
import { readFileSync } from 'node:fs';
import { nameOf, type Cell, type CellResult } from './matrix.js';
import { runCell } from './cell.js';
import { Stage } from './stage.js';

/** Of the platform's log, with a result that is wrong. */
const LOG_LINES = 200;

const cells = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Cell[];

async function resultOf(stage: Stage, cell: Cell): Promise<CellResult> {
  try {
    return await runCell(stage, cell);
  } catch (error) {
    const { step, fault } = cell;
    const wrong = [error instanceof Error ? (error.stack ?? error.message) : String(error)];
    const nothing = {
      allowed: [],
      outcome: 'dead',
      gapMs: 0,
      lost: 0,
      migration: 'unknown',
      told: [],
    } as const;
    return { step, fault: nameOf(fault), ...nothing, wrong };
  }
}

let stage = await Stage.open();
for (const cell of cells) {
  const result = await resultOf(stage, cell);
  const log = result.wrong.length > 0 ? stage.platform.log.slice(-LOG_LINES) : [];
  process.stdout.write(`${JSON.stringify({ ...result, log })}\n`);
  // A platform in which something went wrong proves nothing about the next cell.
  if (result.wrong.length === 0) continue;
  await stage.close();
  stage = await Stage.open();
}
await stage.close();
process.exit(0);
