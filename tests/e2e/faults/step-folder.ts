import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Step } from './matrix.js';
import { until } from './until.js';

const STOP_AT_STEP = fileURLToPath(new URL('./stop-at-step.mjs', import.meta.url));

/** How a test and the processes that it stops (stop-at-step.mjs) speak: files in a folder. */
export class StepFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** For the environment of control and nodes. */
  get env(): Record<string, string> {
    return { NODE_OPTIONS: `--import=${STOP_AT_STEP}`, GODWIT_TEST_STEPS: this.path };
  }

  /** The next move stands still at this step. */
  arm(step: Step): void {
    writeFileSync(join(this.path, step), '');
  }

  /** Resolves with the process that stands still at the step. */
  async reached(step: Step): Promise<number> {
    const name = await until(
      `a move at "${step}"`,
      () => readdirSync(this.path).find((file) => file.startsWith(`${step}.`)) ?? null,
    );
    return Number(name.slice(step.length + 1));
  }

  /** Transports are made on this node until `null`. */
  placeOn(nodeId: string | null): void {
    const file = join(this.path, 'place on');
    if (nodeId !== null) writeFileSync(file, nodeId);
    else if (existsSync(file)) rmSync(file);
  }

  /** Transports on this node do not move. */
  keepOn(nodeId: string): void {
    writeFileSync(join(this.path, 'keep on'), nodeId);
  }

  clear(): void {
    for (const file of readdirSync(this.path)) rmSync(join(this.path, file), { force: true });
  }
}
