import { FORGOTTEN_ROWS_MAX } from '../limits.js';
import { CALLBACK_JOB, type LeasedJob } from '../records.js';
import type { CallbackSweep } from '../repositories/callback-bounds.js';
import type { Storage } from '../storage.js';
import { API_KEY, ensureProject, NOW_MS, unique, type ContractRunner } from './fixtures.js';

const AUDIT = { atMs: NOW_MS, actor: 'admin', action: 'callback.changed', subject: API_KEY, detail: {} };
/** More than any other test leaves. */
const WIDE = { waiting: 100_000, dead: 100_000 };
/** Rounds in which a removal, a sweep and a retry are let loose on one lane. */
const RACES = 20;
const RACING_JOBS = 100;

const receiverOf = (callbackId: string) => ({
  callbackId,
  apiKey: API_KEY,
  group: 'session',
  event: 'all',
  url: 'http://127.0.0.1:9/',
  createdAtMs: NOW_MS,
});

async function newReceiver(storage: Storage): Promise<string> {
  await ensureProject(storage);
  const callbackId = unique('callback');
  await storage.callbacks.put(receiverOf(callbackId), AUDIT);
  return callbackId;
}

/** Jobs of a receiver, in one lane of their own; written at once, so that they lie in another order than they run. */
async function addJobs({ jobs }: Storage, callbackId: string, count: number): Promise<string[]> {
  const payload = { eventId: '', event: 'test', body: { filler: 'x'.repeat(300) }, sessionId: 's' };
  const common = {
    kind: CALLBACK_JOB,
    lane: `${callbackId}/s`,
    group: callbackId,
    subject: callbackId,
    payload,
  };
  const times = { createdAtMs: NOW_MS, runAtMs: NOW_MS };
  const ids = Array.from({ length: count }, () => unique('job'));
  await Promise.all(ids.map((jobId) => jobs.add({ ...common, ...times, jobId })));
  return ids;
}

/** Each claim is later than the leases of those before. */
let clockMs = NOW_MS;

/** The first of the receiver's lane; nothing when there is none. Others' may be taken with it, for a moment. */
async function claimOf({ jobs }: Storage, callbackId: string): Promise<LeasedJob | undefined> {
  clockMs += 1;
  const claimed = await jobs.claim({
    kind: CALLBACK_JOB,
    leaseId: unique('lease'),
    nowMs: clockMs,
    leaseMs: 1,
    limit: 1_000,
    perGroup: 1_000,
    inHand: new Map(),
  });
  return claimed.find(({ subject }) => subject === callbackId);
}

/** Gives the first `count` of the lane up. Answers their ids. */
async function buryFirst(storage: Storage, callbackId: string, count: number): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < count) {
    const first = await claimOf(storage, callbackId);
    if (first === undefined) throw new Error('nothing is due');
    await storage.jobs.bury(first.jobId, first.leaseId, { nowMs: NOW_MS, error: 'ECONNREFUSED' });
    ids.push(first.jobId);
  }
  return ids;
}

/** Sweeps to the end. */
async function sweep({ callbacks }: Storage, bounds = WIDE): Promise<CallbackSweep[]> {
  const rounds: CallbackSweep[] = [];
  do rounds.push(await callbacks.sweep(clockMs, bounds));
  while (rounds.at(-1)?.isPartial === true);
  return rounds;
}

export function callbackBoundsContract(runner: ContractRunner, open: () => Storage): void {
  numberContract(runner, open);
  removalContract(runner, open);
}

function numberContract({ it, equal }: ContractRunner, open: () => Storage): void {
  it('gives up the oldest callbacks of a receiver for which too many wait, but none under way', async () => {
    const storage = open();
    await sweep(storage);
    const [full, other] = [await newReceiver(storage), await newReceiver(storage)];
    await addJobs(storage, full, 7);
    await addJobs(storage, other, 3);
    const taken = await claimOf(storage, full);
    const rounds = await sweep(storage, { ...WIDE, waiting: 3 });
    equal(rounds, [{ dropped: 0, crowdedOut: 3, forgotten: 0, isPartial: false }]);
    const dead = await storage.jobs.listDead(full);
    equal(
      dead.map(({ lastError, deadAtMs }) => [lastError, deadAtMs]),
      Array(3).fill(['more than 3 callbacks waited for this receiver', clockMs]),
    );
    equal(await storage.jobs.complete(taken?.jobId ?? '', taken?.leaseId ?? ''), true);
    equal((await sweep(storage, { ...WIDE, waiting: 3 }))[0]?.crowdedOut, 0);
    // Those that are left are the last ones, and nothing stands before them.
    equal((await claimOf(storage, full)) !== undefined, true);
    equal(await storage.jobs.listDead(other), []);
    await storage.callbacks.remove(API_KEY, full, AUDIT);
    await storage.callbacks.remove(API_KEY, other, AUDIT);
  });

  it('says what was wrong before with those that it gives up', async () => {
    const storage = open();
    const callbackId = await newReceiver(storage);
    await addJobs(storage, callbackId, 2);
    const first = await claimOf(storage, callbackId);
    const again = { runAtMs: clockMs + 1_000_000, error: 'x'.repeat(1_000) };
    await storage.jobs.retry(first?.jobId ?? '', first?.leaseId ?? '', again);
    await sweep(storage, { ...WIDE, waiting: 1 });
    const [dead] = await storage.jobs.listDead(callbackId);
    equal(dead?.jobId, first?.jobId);
    equal(dead?.lastError?.slice(0, 58), 'more than 1 callbacks waited for this receiver; before: xx');
    equal(dead?.lastError?.length, 300);
    await storage.callbacks.remove(API_KEY, callbackId, AUDIT);
  });

  it('forgets the oldest of those that were given up when there are too many of one receiver', async () => {
    const storage = open();
    await sweep(storage);
    const [full, other] = [await newReceiver(storage), await newReceiver(storage)];
    await addJobs(storage, full, 6);
    await addJobs(storage, other, 2);
    const buried = await buryFirst(storage, full, 5);
    await buryFirst(storage, other, 2);
    const rounds = await sweep(storage, { ...WIDE, dead: 2 });
    equal(rounds, [{ dropped: 0, crowdedOut: 0, forgotten: 3, isPartial: false }]);
    const left = (await storage.jobs.listDead(full)).map(({ jobId }) => jobId);
    equal(left, buried.slice(3).toReversed());
    equal((await storage.jobs.listDead(other)).length, 2);
    equal((await claimOf(storage, full)) !== undefined, true);
    await storage.callbacks.remove(API_KEY, full, AUDIT);
    await storage.callbacks.remove(API_KEY, other, AUDIT);
  });
}

function removalContract({ it, equal }: ContractRunner, open: () => Storage): void {
  it('drops what a receiver that was taken away has left, waiting or dead, so many at a time', async () => {
    const storage = open();
    await sweep(storage);
    const [gone, other] = [await newReceiver(storage), await newReceiver(storage)];
    await addJobs(storage, gone, FORGOTTEN_ROWS_MAX + 5);
    await addJobs(storage, other, 1);
    await buryFirst(storage, gone, 2);
    await storage.callbacks.remove(API_KEY, gone, AUDIT);
    const rounds = await sweep(storage);
    equal(
      rounds.map(({ dropped, isPartial }) => [dropped, isPartial]),
      [
        [FORGOTTEN_ROWS_MAX + 2, true],
        [3, false],
      ],
    );
    equal([await storage.jobs.listDead(gone), await claimOf(storage, gone)], [[], undefined]);
    equal((await claimOf(storage, other)) !== undefined, true);
    await storage.callbacks.remove(API_KEY, other, AUDIT);
  });

  it('tells a receiver nothing that one of its id was to be told before it was taken away', async () => {
    const storage = open();
    const callbackId = await newReceiver(storage);
    await addJobs(storage, callbackId, 3);
    await buryFirst(storage, callbackId, 1);
    await storage.callbacks.remove(API_KEY, callbackId, AUDIT);
    await storage.callbacks.put(receiverOf(callbackId), AUDIT);
    equal([await storage.jobs.listDead(callbackId), await claimOf(storage, callbackId)], [[], undefined]);
    // One that is there keeps what waits for it.
    await addJobs(storage, callbackId, 1);
    await storage.callbacks.put({ ...receiverOf(callbackId), url: 'http://127.0.0.1:10/' }, AUDIT);
    equal((await claimOf(storage, callbackId)) !== undefined, true);
    await storage.callbacks.remove(API_KEY, callbackId, AUDIT);
  });

  it('sweeps a lane while its first job is tried again: neither is refused for the other', async () => {
    const storage = open();
    for (let round = 0; round < RACES; round++) {
      const callbackId = await newReceiver(storage);
      await addJobs(storage, callbackId, RACING_JOBS);
      const first = await claimOf(storage, callbackId);
      await storage.callbacks.remove(API_KEY, callbackId, AUDIT);
      const again = { runAtMs: clockMs + 1_000_000, error: 'x' };
      const retried = storage.jobs
        .retry(first?.jobId ?? '', first?.leaseId ?? '', again)
        .then(() => 'retried', String);
      // The two meet at another statement each time; putting it sweeps it first of all.
      for (let statement = 0; statement < round % 3; statement++) await storage.meta.get('x');
      const swept = [
        storage.callbacks.put(receiverOf(callbackId), AUDIT).then(() => 'swept', String),
        storage.callbacks.sweep(clockMs + 1, { ...WIDE, waiting: 1 }).then(() => 'swept', String),
      ];
      equal(await Promise.all([retried, ...swept]), ['retried', 'swept', 'swept']);
      await storage.callbacks.remove(API_KEY, callbackId, AUDIT);
    }
    await sweep(storage);
  });
}
