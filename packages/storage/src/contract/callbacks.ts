import { CALLBACK_JOB, type CallbackEvent, type Json, type LeasedJob } from '../records.js';
import type { Storage } from '../storage.js';
import { CALLBACK_RECEIVERS_MAX } from '../limits.js';
import { API_KEY, ensureProject, newTransport, NOW_MS, unique, type ContractRunner } from './fixtures.js';

const AUDIT = { atMs: NOW_MS, actor: 'admin', action: 'callback.changed', subject: API_KEY, detail: {} };

const eventOf = (event: string, body: Json = {}): CallbackEvent => ({
  eventId: unique('event'),
  group: 'session',
  event,
  body,
  createdAtMs: NOW_MS,
});

async function newReceiver(storage: Storage, event = 'all', apiKey = API_KEY): Promise<string> {
  await ensureProject(storage, apiKey);
  const callbackId = unique('callback');
  const receiver = {
    callbackId,
    apiKey,
    group: 'session',
    event,
    url: 'http://127.0.0.1:9/',
    createdAtMs: NOW_MS,
  };
  await storage.callbacks.add(receiver, AUDIT);
  return callbackId;
}

/** What is to be delivered to one receiver, in the order of delivery. */
async function deliveries(storage: Storage, callbackId: string): Promise<string[]> {
  const told: string[] = [];
  for (;;) {
    const claimed = await storage.jobs.claim({
      kind: CALLBACK_JOB,
      leaseId: unique('lease'),
      nowMs: NOW_MS + 10,
      leaseMs: 1,
      limit: 1_000,
      perGroup: 1_000,
      inHand: new Map(),
    });
    const mine = claimed.filter(({ subject }) => subject === callbackId);
    if (claimed.length === 0) return told;
    told.push(...mine.map(eventName));
    for (const { jobId, leaseId } of claimed) await storage.jobs.complete(jobId, leaseId);
  }
}

const eventName = ({ payload }: LeasedJob): string => (payload as { event: string }).event;

export function callbackContract(runner: ContractRunner, open: () => Storage): void {
  receiverContract(runner, open);
  outboxContract(runner, open);
}

function receiverContract({ it, equal }: ContractRunner, open: () => Storage): void {
  it('lists the receivers of a project, and forgets with one what it was still to be told', async () => {
    const storage = open();
    const apiKey = unique('project');
    const first = await newReceiver(storage, 'all', apiKey);
    const second = await newReceiver(storage, 'streamCreated', apiKey);
    const listed = await storage.callbacks.list(apiKey);
    equal(
      listed.map(({ callbackId, event }) => [callbackId, event]),
      [
        [first, 'all'],
        [second, 'streamCreated'],
      ],
    );
    equal(await storage.callbacks.remove('another', first, AUDIT), false);
    equal(await storage.callbacks.remove(apiKey, first, AUDIT), true);
    equal(await storage.callbacks.remove(apiKey, first, AUDIT), false);
    equal((await storage.callbacks.list(apiKey)).length, 1);
  });

  it('takes no more receivers than one event can be sent to', async () => {
    const storage = open();
    const apiKey = unique('project');
    for (let number = 0; number < CALLBACK_RECEIVERS_MAX; number++) await newReceiver(storage, 'all', apiKey);
    await newReceiver(storage, 'all', apiKey);
    equal((await storage.callbacks.list(apiKey)).length, CALLBACK_RECEIVERS_MAX);
  });
}

function outboxContract({ it, equal }: ContractRunner, open: () => Storage): void {
  it('writes a change and its callbacks together, in order, for those who want them', async () => {
    const storage = open();
    const all = await newReceiver(storage);
    const some = await newReceiver(storage, 'streamDestroyed');
    const { connectionId, sessionId } = await newTransport(storage);
    const other = { ...(await storage.connections.get(connectionId)), connectionId: unique('connection') };
    const firsts: boolean[] = [];
    await storage.connections.create(other as never, ({ isFirst }) => {
      firsts.push(isFirst);
      return [eventOf('connectionCreated')];
    });
    const streamId = unique('aaaaaaaa');
    const stream = {
      streamId,
      sessionId,
      connectionId: other.connectionId,
      info: {},
      layoutClasses: [],
      createdAtMs: NOW_MS,
    };
    await storage.streams.create({ ...stream, publishedAtMs: null, endedAtMs: null });
    await storage.streams.publish(streamId, NOW_MS, () => [eventOf('streamCreated')]);
    await storage.streams.publish(streamId, NOW_MS, () => [eventOf('streamCreated')]);
    const lasts: boolean[] = [];
    for (const id of [other.connectionId, other.connectionId, connectionId]) {
      await storage.connections.end(id, 'clientDisconnected', NOW_MS, ({ streams, isLast }) => {
        lasts.push(isLast);
        return [...streams.map(() => eventOf('streamDestroyed')), eventOf('connectionDestroyed')];
      });
    }
    equal([firsts, lasts], [[false], [false, true]]);
    equal(await deliveries(storage, all), [
      'connectionCreated',
      'streamCreated',
      'streamDestroyed',
      'connectionDestroyed',
      'connectionDestroyed',
    ]);
    await storage.callbacks.remove(API_KEY, all, AUDIT);
    await storage.callbacks.remove(API_KEY, some, AUDIT);
  });

  it('tells nothing of a stream that nobody had been told of, and nothing of a change that failed', async () => {
    const storage = open();
    const receiver = await newReceiver(storage);
    const { connectionId, sessionId } = await newTransport(storage);
    const streamId = unique('aaaaaaaa');
    const stream = { streamId, sessionId, connectionId, info: {}, layoutClasses: [], createdAtMs: NOW_MS };
    await storage.streams.create({ ...stream, publishedAtMs: null, endedAtMs: null });
    await storage.streams.end(streamId, NOW_MS, () => [eventOf('streamDestroyed')]);
    const taken = await storage.connections.get(connectionId);
    const failed = await storage.connections
      .create(taken as never, () => [eventOf('connectionCreated')])
      .then(
        () => false,
        () => true,
      );
    equal(failed, true);
    equal(await deliveries(storage, receiver), []);
    await storage.callbacks.remove(API_KEY, receiver, AUDIT);
  });
}
