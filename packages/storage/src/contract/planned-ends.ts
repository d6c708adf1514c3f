import { SESSIONS_TOLD_MAX } from '../limits.js';
import {
  CALLBACK_JOB,
  type AuditEntry,
  type CallbackEvent,
  type LeasedJob,
  type PlannedEnd,
  type TransportRecord,
} from '../records.js';
import type { EndNotice, ToldSession } from '../repositories/planned-ends.js';
import type { Storage } from '../storage.js';
import { API_KEY, ensureProject, newTransport, NOW_MS, unique, type ContractRunner } from './fixtures.js';

const HOUR_MS = 3_600_000;
const EVENT = 'sessionNotification';

const auditOf = (action: string): AuditEntry => ({
  atMs: NOW_MS,
  actor: 'admin',
  action,
  subject: 'node-a',
  detail: {},
});

const planOf = (nodeId: string, changes: Partial<PlannedEnd> = {}): PlannedEnd => ({
  planId: unique('plan'),
  nodeId,
  identityKey: 'key',
  addresses: ['192.0.2.1:40000'],
  endsAtMs: NOW_MS + HOUR_MS,
  reason: 'upgrade',
  plannedAtMs: NOW_MS,
  ...changes,
});

const noticeOf = ({ planId }: PlannedEnd, remainingSeconds = 3_600): EndNotice => ({
  planId,
  remainingSeconds,
  group: 'session',
  event: EVENT,
  nowMs: NOW_MS,
});

const eventOf = ({ sessionId, eventId }: ToldSession): CallbackEvent => ({
  eventId,
  group: 'session',
  event: EVENT,
  body: { sessionId },
  createdAtMs: NOW_MS,
});

async function newReceiver(storage: Storage, event = 'all'): Promise<string> {
  await ensureProject(storage);
  const callbackId = unique('callback');
  const url = 'http://127.0.0.1:9/';
  const receiver = { callbackId, apiKey: API_KEY, group: 'session', event, url, createdAtMs: NOW_MS };
  await storage.callbacks.add(receiver, auditOf('callback.added'));
  return callbackId;
}

/** A transport of a session of its own, on that node. */
async function transportOn(storage: Storage, nodeId: string): Promise<TransportRecord> {
  const transport = await newTransport(storage);
  const grant = { moveId: unique('dddddddd'), targetNodeId: nodeId };
  const { transportId, ownerNodeId, epoch } = transport;
  const intent = await storage.transports.beginMove(transportId, { ownerNodeId, epoch }, grant);
  const moved = { moveId: grant.moveId, ownerNodeId: nodeId, epoch: intent?.targetEpoch ?? 0 };
  await storage.transports.endMove(transportId, moved);
  return transport;
}

const tellAll = async (storage: Storage, notice: EndNotice): Promise<ToldSession[]> =>
  storage.plannedEnds.tell(notice, eventOf);

/** What waits in the outbox for one receiver, in the order of delivery; it waits no more afterwards. */
async function outboxOf(storage: Storage, callbackId: string): Promise<LeasedJob[]> {
  const claimed = await storage.jobs.claim({
    kind: CALLBACK_JOB,
    leaseId: unique('lease'),
    nowMs: NOW_MS + 10,
    leaseMs: 1,
    limit: 1_000,
    perGroup: 1_000,
    inHand: new Map(),
  });
  for (const { jobId, leaseId } of claimed) await storage.jobs.complete(jobId, leaseId);
  return claimed.filter(({ subject }) => subject === callbackId);
}

const subjects = (jobs: readonly LeasedJob[]): unknown[] =>
  jobs.map(({ payload }) => (payload as { sessionId: string }).sessionId);

async function clear(storage: Storage, callbackIds: readonly string[], nodeId: string): Promise<void> {
  for (const callbackId of callbackIds)
    await storage.callbacks.remove(API_KEY, callbackId, auditOf('callback.removed'));
  await storage.plannedEnds.remove(nodeId, auditOf('node.end-withdrawn'));
}

/** The contract of planned ends: who is told is decided by rows, so that nothing is told twice. */
export function plannedEndContract(runner: ContractRunner, open: () => Storage): void {
  planContract(runner, open);
  noticeContract(runner, open);
  withdrawalContract(runner, open);
}

function planContract({ it, equal }: ContractRunner, open: () => Storage): void {
  it('keeps one planned end a node, with its line of the audit', async () => {
    const { plannedEnds, audit } = open();
    const nodeId = unique('node');
    const plan = planOf(nodeId);
    equal(await plannedEnds.set(plan, auditOf('node.end-planned')), plan);
    equal((await audit.list())[0]?.action, 'node.end-planned');
    const again = planOf(nodeId, { reason: 'another', plannedAtMs: NOW_MS + 5 });
    equal(await plannedEnds.set(again, auditOf('node.end-planned')), { ...plan, reason: 'another' });
    const later = planOf(nodeId, { endsAtMs: plan.endsAtMs + 1 });
    equal(await plannedEnds.set(later, auditOf('node.end-planned')), later);
    equal(await plannedEnds.list(), [later]);
    equal(await plannedEnds.remove(nodeId, auditOf('node.end-withdrawn')), true);
    equal(await plannedEnds.remove(nodeId, auditOf('node.end-withdrawn')), false);
    equal(await plannedEnds.list(), []);
  });

  it('takes the word of one of those who plan at the same time', async () => {
    const { plannedEnds } = open();
    const nodeId = unique('node');
    const plans = [1, 2, 3, 4].map((hours) => planOf(nodeId, { endsAtMs: NOW_MS + hours * HOUR_MS }));
    await Promise.all(plans.map((plan) => plannedEnds.set(plan, auditOf('node.end-planned'))));
    equal((await plannedEnds.list()).length, 1);
    await plannedEnds.remove(nodeId, auditOf('node.end-withdrawn'));
  });

  it('lets a plan follow its node to another id, over what was planned for that one before', async () => {
    const { plannedEnds } = open();
    const [from, to] = [unique('node'), unique('node')];
    const plan = planOf(from);
    await plannedEnds.set(plan, auditOf('node.end-planned'));
    await plannedEnds.set(planOf(to), auditOf('node.end-planned'));
    const place = { nodeId: to, identityKey: 'next', addresses: ['192.0.2.1:40000', '192.0.2.1:40001'] };
    await plannedEnds.follow(plan.planId, place);
    await plannedEnds.follow('gone', place);
    equal(await plannedEnds.list(), [{ ...plan, ...place }]);
    await plannedEnds.forget(plan.planId);
    equal(await plannedEnds.list(), []);
  });
}

function noticeContract({ it, equal }: ContractRunner, open: () => Storage): void {
  it('tells each session of a node once, however many tell at the same time', async () => {
    const storage = open();
    const nodeId = unique('node');
    const receivers = [await newReceiver(storage), await newReceiver(storage, EVENT)];
    const deaf = await newReceiver(storage, 'streamCreated');
    const here = [await transportOn(storage, nodeId), await transportOn(storage, nodeId)];
    const gone = await transportOn(storage, nodeId);
    await transportOn(storage, unique('node'));
    await storage.transports.end(gone.transportId, NOW_MS);
    const plan = planOf(nodeId);
    await storage.plannedEnds.set(plan, auditOf('node.end-planned'));
    const rounds = await Promise.all(Array.from({ length: 4 }, () => tellAll(storage, noticeOf(plan))));
    const expected = here.map(({ sessionId }) => sessionId).sort();
    equal(rounds.flatMap((told) => told.map(({ sessionId }) => sessionId)).sort(), expected);
    equal(await tellAll(storage, noticeOf(plan)), []);
    const waiting = await storage.jobs.count();
    equal(waiting.find(({ kind }) => kind === CALLBACK_JOB)?.waiting, here.length * receivers.length);
    equal(subjects(await outboxOf(storage, receivers[0] ?? '')).toSorted(), expected);
    // Delivered, and so no row of the outbox is left: it is not told again all the same.
    equal(await tellAll(storage, noticeOf(plan)), []);
    // The other notice of the same plan is another.
    equal((await tellAll(storage, noticeOf(plan, 14_400))).length, here.length);
    await clear(storage, [...receivers, deaf], nodeId);
  });

  it('tells those who come later, and those whose project wants to hear it only later', async () => {
    const storage = open();
    const nodeId = unique('node');
    const plan = planOf(nodeId);
    await storage.plannedEnds.set(plan, auditOf('node.end-planned'));
    const first = await transportOn(storage, nodeId);
    equal(await tellAll(storage, noticeOf(plan)), []);
    const receiver = await newReceiver(storage);
    const [told] = await tellAll(storage, noticeOf(plan));
    equal([told?.sessionId, told?.apiKey], [first.sessionId, API_KEY]);
    const late = await transportOn(storage, nodeId);
    equal(
      (await tellAll(storage, noticeOf(plan))).map(({ sessionId }) => sessionId),
      [late.sessionId],
    );
    await clear(storage, [receiver], nodeId);
  });

  it('tells many in rounds of a bounded size', async () => {
    const storage = open();
    const nodeId = unique('node');
    const receiver = await newReceiver(storage);
    for (let number = 0; number < SESSIONS_TOLD_MAX + 1; number++) await transportOn(storage, nodeId);
    const plan = planOf(nodeId);
    await storage.plannedEnds.set(plan, auditOf('node.end-planned'));
    const sizes: number[] = [];
    for (let round = 0; round < 3; round++) sizes.push((await tellAll(storage, noticeOf(plan))).length);
    equal(sizes, [SESSIONS_TOLD_MAX, 1, 0]);
    await clear(storage, [receiver], nodeId);
  });
}

function withdrawalContract({ it, equal }: ContractRunner, open: () => Storage): void {
  it('stops what has not gone out when the end is taken back, and nothing else', async () => {
    const storage = open();
    const [nodeId, other] = [unique('node'), unique('node')];
    const receiver = await newReceiver(storage);
    await transportOn(storage, nodeId);
    const staying = await transportOn(storage, other);
    const [plan, kept] = [planOf(nodeId), planOf(other)];
    for (const each of [plan, kept]) {
      await storage.plannedEnds.set(each, auditOf('node.end-planned'));
      await tellAll(storage, noticeOf(each));
    }
    await storage.plannedEnds.remove(nodeId, auditOf('node.end-withdrawn'));
    equal(await tellAll(storage, noticeOf(plan)), []);
    equal(subjects(await outboxOf(storage, receiver)), [staying.sessionId]);
    await clear(storage, [receiver], other);
  });

  it('tells anew, under another id, when the end is planned for another time', async () => {
    const storage = open();
    const nodeId = unique('node');
    const receiver = await newReceiver(storage);
    const { sessionId } = await transportOn(storage, nodeId);
    const plan = planOf(nodeId);
    await storage.plannedEnds.set(plan, auditOf('node.end-planned'));
    const [first] = await tellAll(storage, noticeOf(plan));
    // The same time once more: everybody knows.
    const same = await storage.plannedEnds.set(planOf(nodeId), auditOf('node.end-planned'));
    equal(await tellAll(storage, noticeOf(same)), []);
    const later = await storage.plannedEnds.set(
      planOf(nodeId, { endsAtMs: plan.endsAtMs + HOUR_MS }),
      auditOf('node.end-planned'),
    );
    const [second] = await tellAll(storage, noticeOf(later));
    equal(second?.sessionId, sessionId);
    equal(second?.eventId === first?.eventId, false);
    // The former has not gone out, and does not any more.
    const jobs = await outboxOf(storage, receiver);
    equal(
      jobs.map(({ jobId }) => jobId),
      [`${second?.eventId}.${receiver}`],
    );
    await clear(storage, [receiver], nodeId);
  });
}
