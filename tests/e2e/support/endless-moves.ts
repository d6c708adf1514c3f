import type { TestPage } from '@godwit/testing';
import { migrate, type Scene } from './scene.js';
import { eventually, within } from './waits.js';

/** One move, and waiting for so few. */
const PATIENCE_MS = 60_000;

/** Moves a session to and fro without a pause, as long as it is on. */
export class EndlessMoves {
  /** How each migration has ended. */
  readonly statuses: string[] = [];
  readonly #scene: Scene<TestPage>;
  #running: Promise<void> = Promise.resolve();
  #isOn = false;

  constructor(scene: Scene<TestPage>) {
    this.#scene = scene;
  }

  start(): void {
    this.#isOn = true;
    this.#running = this.#run();
    // Whoever waits for moves, or stops them, hears of it.
    this.#running.catch(() => undefined);
  }

  /** Resolves once so many have ended since there were `before`. */
  async ended(count: number, before: number): Promise<void> {
    await Promise.race([
      this.#running,
      eventually(`${count} moves end`, PATIENCE_MS, () => {
        const missing = before + count - this.statuses.length;
        return Promise.resolve(missing <= 0 ? null : `${missing} have not`);
      }),
    ]);
  }

  /** Resolves when the one under way has ended. */
  async stop(): Promise<void> {
    this.#isOn = false;
    await within('the last move ends', PATIENCE_MS, this.#running);
  }

  async #run(): Promise<void> {
    while (this.#isOn) this.statuses.push((await migrate(this.#scene)).status);
  }
}
