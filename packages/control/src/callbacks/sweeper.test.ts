import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openMemoryStorage, type CallbackReceiver, type Storage } from '@godwit/storage';
import { CALLBACK_DEAD_KEPT_MS, CALLBACK_SWEEP_MS } from '../limits.js';
import { createMetrics } from '../metrics.js';
import { CallbackSweeper } from './sweeper.js';

const BOUNDS = { waiting: 3, dead: 2 };
const AUDIT = { atMs: 0, actor: 'admin', action: 'test', subject: '100', detail: {} };
const FULL = receiverOf('full');
let storage: Storage;
let nowMs = 1_700_000_000_000;

beforeAll(async () => {
  storage = await openMemoryStorage();
  await storage.projects.ensure({ apiKey: '100', name: 'sweeper', createdAtMs: 0, signatureSecret: null });
}, 60_000);
afterAll(() => storage.close());

function receiverOf(callbackId: string): CallbackReceiver {
  const url = 'http://127.0.0.1:9/';
  return { callbackId, apiKey: '100', group: 'session', event: 'all', url, createdAtMs: 0 };
}

async function addJobs(subject: string, count: number): Promise<void> {
  for (let number = 0; number < count; number++)
    await storage.jobs.add({
      jobId: `${subject}.${nowMs}.${number}`,
      kind: 'callback',
      lane: `${subject}/s`,
      group: '100',
      subject,
      payload: {},
      createdAtMs: nowMs,
      runAtMs: nowMs,
    });
}

function sweeperOf() {
  const metrics = createMetrics();
  const log = pino({ level: 'silent' });
  const sweeper = new CallbackSweeper({ storage, log, metrics, clockMs: () => nowMs, bounds: BOUNDS });
  const outcomes = async (): Promise<Record<string, number>> => {
    const { values } = await metrics.callbacks.get();
    return Object.fromEntries(values.map(({ labels, value }) => [String(labels.outcome), value]));
  };
  return { sweeper, outcomes };
}
const countOf = async (): Promise<{ waiting: number; dead: number }> => {
  const [count] = await storage.jobs.count();
  return { waiting: count?.waiting ?? 0, dead: count?.dead ?? 0 };
};

it('bounds what waits for a receiver and what was given up of it, and counts both', async () => {
  await storage.callbacks.put(FULL, AUDIT);
  await addJobs('full', 8);
  const { sweeper, outcomes } = sweeperOf();
  sweeper.tick();
  await expect.poll(countOf).toEqual({ waiting: 3, dead: 5 });
  // Those that were given up just now are too many in their turn: the next round sees them.
  nowMs += CALLBACK_SWEEP_MS;
  await expect
    .poll(() => {
      sweeper.tick();
      return countOf();
    })
    .toEqual({ waiting: 3, dead: 2 });
  await sweeper.close();
  expect(await outcomes()).toEqual({ dropped: 0, 'crowded-out': 5, forgotten: 3 });
});

it('forgets what was given up long ago, whoever it was for', async () => {
  nowMs += CALLBACK_DEAD_KEPT_MS + CALLBACK_SWEEP_MS;
  const { sweeper, outcomes } = sweeperOf();
  sweeper.tick();
  await expect.poll(countOf).toEqual({ waiting: 3, dead: 0 });
  await sweeper.close();
  expect(await outcomes()).toMatchObject({ forgotten: 2 });
});

it('forgets at once what a receiver that was taken away has left, when it is told so', async () => {
  const { sweeper, outcomes } = sweeperOf();
  sweeper.tick();
  await storage.callbacks.remove('100', 'full', AUDIT);
  await expect
    .poll(() => {
      // No time passes.
      sweeper.due();
      sweeper.tick();
      return countOf();
    })
    .toEqual({ waiting: 0, dead: 0 });
  await sweeper.close();
  expect(await outcomes()).toMatchObject({ dropped: 3 });
});
