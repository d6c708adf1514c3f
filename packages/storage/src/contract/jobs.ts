import { FORGOTTEN_ROWS_MAX } from '../limits.js';
import type { LeasedJob } from '../records.js';
import type { JobClaim, NewJob } from '../repositories/jobs.js';
import type { Storage } from '../storage.js';
import { NOW_MS, unique, type ContractRunner } from './fixtures.js';

const LEASE_MS = 1_000;

/** A queue of its own for each test. */
class Queue {
  readonly kind = unique('kind');
  readonly #storage: Storage;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  async add(lane: string, changes: Partial<NewJob> = {}): Promise<string> {
    const jobId = unique('job');
    await this.#storage.jobs.add({
      jobId,
      kind: this.kind,
      lane,
      group: 'group',
      subject: 'subject',
      payload: { lane },
      createdAtMs: NOW_MS,
      runAtMs: NOW_MS,
      ...changes,
    });
    return jobId;
  }

  claim(changes: Partial<JobClaim> = {}): Promise<LeasedJob[]> {
    return this.#storage.jobs.claim({
      kind: this.kind,
      leaseId: unique('lease'),
      nowMs: NOW_MS,
      leaseMs: LEASE_MS,
      limit: 100,
      perGroup: 100,
      inHand: new Map(),
      ...changes,
    });
  }
}

const idsOf = (jobs: readonly { readonly jobId: string }[]): string[] => jobs.map(({ jobId }) => jobId);

export function jobContract(runner: ContractRunner, open: () => Storage): void {
  orderContract(runner, open);
  leaseContract(runner, open);
  deadContract(runner, open);
}

function orderContract({ it, equal }: ContractRunner, open: () => Storage): void {
  it('gives out of each lane the first job only, and the next when it is done', async () => {
    const { jobs } = open();
    const queue = new Queue(open());
    const [a1, a2, b1] = [await queue.add('a'), await queue.add('a'), await queue.add('b')];
    const first = await queue.claim();
    equal(idsOf(first), [a1, b1]);
    equal([first[0]?.attempts, first[0]?.payload], [1, { lane: 'a' }]);
    equal(await queue.claim(), []);
    equal(await jobs.complete(a1, first[0]?.leaseId ?? ''), true);
    equal(idsOf(await queue.claim()), [a2]);
  });

  it('gives out nothing before its time, and nothing of a lane whose first job is tried again', async () => {
    const { jobs } = open();
    const queue = new Queue(open());
    const [first, second] = [await queue.add('a'), await queue.add('a')];
    await queue.add('later', { runAtMs: NOW_MS + 1 });
    const [taken] = await queue.claim();
    const leaseId = taken?.leaseId ?? '';
    equal(await jobs.retry(first, leaseId, { runAtMs: NOW_MS + 500, error: 'x'.repeat(5_000) }), true);
    equal(await jobs.retry(first, leaseId, { runAtMs: NOW_MS, error: 'late' }), false);
    equal(await queue.claim(), []);
    const again = await queue.claim({ nowMs: NOW_MS + 500 });
    equal(again[0]?.jobId, first);
    equal([again[0]?.attempts, again[0]?.lastError?.length], [2, 300]);
    equal(idsOf(again).includes(second), false);
  });

  it('gives one worker no more of a group than it may have in hand', async () => {
    const queue = new Queue(open());
    for (let lane = 0; lane < 5; lane++) await queue.add(`slow-${lane}`, { group: 'slow' });
    const other = await queue.add('quick', { group: 'quick' });
    const claimed = await queue.claim({ perGroup: 2, inHand: new Map([['slow', 1]]) });
    equal(claimed.map(({ group }) => group).toSorted(), ['quick', 'slow']);
    equal(idsOf(claimed).includes(other), true);
    equal((await queue.claim({ perGroup: 2, inHand: new Map([['slow', 2]]) })).length, 0);
    equal((await queue.claim({ perGroup: 10, limit: 3 })).length, 3);
  });
}

function leaseContract({ it, equal }: ContractRunner, open: () => Storage): void {
  it('gives a job to one of many workers', async () => {
    const queue = new Queue(open());
    for (let lane = 0; lane < 8; lane++) await queue.add(`lane-${lane}`);
    const claims = await Promise.all([queue.claim(), queue.claim(), queue.claim(), queue.claim()]);
    const taken = claims.flatMap(idsOf);
    // A worker may have been passed over for what another had locked; nothing is given twice.
    const rest = idsOf(await queue.claim());
    equal(new Set([...taken, ...rest]).size, 8);
    equal(taken.length + rest.length, 8);
  });

  it('gives it to another when the lease has ended; the first one’s word counts no more', async () => {
    const { jobs } = open();
    const queue = new Queue(open());
    const jobId = await queue.add('a');
    const [first] = await queue.claim();
    const [second] = await queue.claim({ nowMs: NOW_MS + LEASE_MS });
    equal([second?.jobId, second?.attempts], [jobId, 2]);
    equal(await jobs.complete(jobId, first?.leaseId ?? ''), false);
    equal(await jobs.bury(jobId, first?.leaseId ?? '', { nowMs: NOW_MS, error: 'x' }), false);
    equal(await jobs.complete(jobId, second?.leaseId ?? ''), true);
  });

  it('adds a job of one id once', async () => {
    const { jobs } = open();
    const queue = new Queue(open());
    const jobId = await queue.add('a');
    await queue.add('a', { jobId });
    const [job] = await queue.claim();
    await jobs.complete(jobId, job?.leaseId ?? '');
    equal(await queue.claim(), []);
  });
}

function deadContract({ it, equal }: ContractRunner, open: () => Storage): void {
  it('keeps what was given up, lets the next of its lane run, and gives it out again when it is revived', async () => {
    const { jobs } = open();
    const queue = new Queue(open());
    const group = unique('group');
    const [first, second] = [await queue.add('a', { group }), await queue.add('a', { group })];
    const [taken] = await queue.claim();
    const end = { nowMs: NOW_MS + 1, error: 'nobody answers' };
    equal(await jobs.bury(first, taken?.leaseId ?? '', end), true);
    const dead = await jobs.listDead(group);
    equal([idsOf(dead), dead[0]?.lastError, dead[0]?.deadAtMs], [[first], 'nobody answers', NOW_MS + 1]);
    equal(
      (await jobs.count()).find(({ kind }) => kind === queue.kind),
      {
        kind: queue.kind,
        waiting: 1,
        dead: 1,
      },
    );
    equal(await jobs.revive(first, NOW_MS + 2, 'another group'), false);
    equal(await jobs.revive(first, NOW_MS + 2, group), true);
    equal(await jobs.revive(first, NOW_MS + 2, group), false);
    // What came after it goes first.
    const next = await queue.claim({ nowMs: NOW_MS + 2 });
    equal(idsOf(next), [second]);
    await jobs.complete(second, next[0]?.leaseId ?? '');
    const revived = await queue.claim({ nowMs: NOW_MS + 2 });
    equal([idsOf(revived), revived[0]?.attempts, revived[0]?.createdAtMs], [[first], 1, NOW_MS + 2]);
  });

  it('forgets what was given up long ago', async () => {
    const { jobs } = open();
    const queue = new Queue(open());
    const group = unique('group');
    const jobId = await queue.add('a', { group });
    const [taken] = await queue.claim();
    await jobs.bury(jobId, taken?.leaseId ?? '', { nowMs: 50, error: 'x' });
    equal(await jobs.forgetDead(50), 0);
    equal(await jobs.forgetDead(51), 1);
    equal(await jobs.listDead(group), []);
  });

  it('forgets so many at a time', async () => {
    const { jobs } = open();
    const queue = new Queue(open());
    const group = unique('group');
    const lanes = Array.from({ length: FORGOTTEN_ROWS_MAX + 2 }, (_, lane) => `many-${lane}`);
    await Promise.all(lanes.map((lane) => queue.add(lane, { group })));
    const taken = await queue.claim({ limit: lanes.length, perGroup: lanes.length });
    const end = { nowMs: 50, error: 'x' };
    await Promise.all(taken.map(({ jobId, leaseId }) => jobs.bury(jobId, leaseId, end)));
    equal([await jobs.forgetDead(51), await jobs.forgetDead(51)], [FORGOTTEN_ROWS_MAX, 2]);
  });
}
