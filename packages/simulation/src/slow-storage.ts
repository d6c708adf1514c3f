import type { RosterStorage } from '@godwit/storage';
import type { SimProcess } from './process.js';
import type { World } from './world.js';

/** Way to the database and back, each. */
const DELAY_MS_MIN = 0.1;
const DELAY_MS_MAX = 0.6;

type Method = (...args: unknown[]) => Promise<unknown>;

/**
 * The storage as one process sees it over a wire: a statement is carried out although the process that sent it may be dead
 * by then, and its answer reaches nobody.
 */
export function slowStorage(world: World, process: SimProcess, storage: RosterStorage): RosterStorage {
  const slow: Record<string, unknown> = {};
  for (const [name, repository] of Object.entries(storage)) {
    slow[name] =
      typeof repository === 'function' ? repository : slowRepository(world, process, repository as object);
  }
  return slow as unknown as RosterStorage;
}

function slowRepository(world: World, process: SimProcess, repository: object): object {
  const delayMs = (): number => world.random.between(DELAY_MS_MIN, DELAY_MS_MAX);
  const methods = Object.entries(repository as Record<string, Method>).map(([name, method]) => {
    const call: Method = (...args) =>
      new Promise((resolve, reject) => {
        world.after(delayMs(), () => {
          const answer = method(...args);
          world.afterIn(process, delayMs(), () => {
            world.settles();
            answer.then(resolve, reject);
          });
        });
      });
    return [name, call] as const;
  });
  return Object.fromEntries(methods);
}
