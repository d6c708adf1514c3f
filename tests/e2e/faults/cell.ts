import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { auditNonces, type CapturedDatagram } from '@godwit/testing';
import { Capture, fromServers } from '../support/environment.js';
import { FaultClient } from './client.js';
import { allowed, AWAY_MS, nameOf, STEPS, type Cell, type CellResult, type Outcome } from './matrix.js';
import { isAlive, type Stage, type StageNodes } from './stage.js';
import { pause, until } from './until.js';

/** Media flows for so long before the move, and for as long again at the end. */
const STEADY_MS = 700;
/** Past every wait of control and the nodes. */
const SETTLE_MS = 40_000;
/** How long a dead control is away before another one starts. */
const CONTROL_AWAY_MS = 1_000;
/** What is on its way arrives within this. */
const DRAIN_MS = 300;
/** A client that stands still longer has lost its media. */
const STILL_MS = 500;

interface Call {
  readonly sessionId: string;
  /** The one whose transport moves. */
  readonly mover: FaultClient;
  readonly other: FaultClient;
}

/** Moves a live call, strikes at the step, and says what became of it. Leaves the stage in order. */
export async function runCell(stage: Stage, cell: Cell): Promise<CellResult> {
  const nodes = await stage.nodes();
  const call = await openCall(stage, nodes);
  const capture = new Capture({ prefix: [], isolated: true, remove: () => undefined });
  try {
    await capture.ready();
    const result = await strikeAndJudge(stage, nodes, call, cell);
    return { ...result, wrong: [...result.wrong, ...nonceFaults((await capture.finish()).datagrams, call)] };
  } finally {
    await tidyUp(stage, nodes, call, cell);
  }
}

async function openCall(stage: Stage, nodes: StageNodes): Promise<Call> {
  const sessionId = await stage.api.createSession();
  const { url, apiKey } = stage.platform;
  const join = async (nodeId: string): Promise<FaultClient> => {
    const token = await stage.api.token(sessionId);
    const client = await FaultClient.join({ url, apiKey, sessionId, token });
    stage.steps.placeOn(nodeId);
    await client.publish();
    return client;
  };
  const mover = await join(nodes.source.nodeId);
  const other = await join(nodes.bystander.nodeId);
  stage.steps.placeOn(null);
  stage.steps.keepOn(nodes.bystander.nodeId);
  await Promise.all([mover.peer.subscribeAll(), other.peer.subscribeAll()]);
  const call = { sessionId, mover, other };
  await until('media both ways', () => (mover.received > 0 && other.received > 0 ? true : null));
  await pause(STEADY_MS);
  return call;
}

async function strikeAndJudge(stage: Stage, nodes: StageNodes, call: Call, cell: Cell): Promise<CellResult> {
  const { mover, other } = call;
  const before = { sent: mover.sent + other.sent, received: mover.received + other.received };
  mover.measure();
  other.measure();
  stage.steps.arm(cell.step);
  const migration = migrate(stage, nodes, call.sessionId);
  const stoppedPid = await stage.steps.reached(cell.step);
  await strike(stage, nodes, cell, stoppedPid);
  const wrong: string[] = [];
  const ended = await settled(stage, nodes, call, migration, cell).catch((error: unknown) => {
    wrong.push(`${error instanceof Error ? error.message : String(error)}`);
    return null;
  });
  const gapMs = Math.round(Math.max(mover.worstGapMs(), other.worstGapMs()));
  for (const client of [mover, other]) client.mute();
  await pause(DRAIN_MS);
  const sent = mover.sent + other.sent - before.sent;
  const received = mover.received + other.received - before.received;
  const outcome = ended === null ? 'dead' : outcomeOf(call, nodes, ended.nodeId);
  if (outcome === 'dead' || !allowed(cell).includes(outcome)) wrong.push(`the outcome is ${outcome}`);
  if (other.peer.rejoins > 0) wrong.push('the other client, on a node without fault, lost its transport');
  return {
    step: cell.step,
    fault: nameOf(cell.fault),
    allowed: allowed(cell),
    outcome,
    gapMs,
    lost: Math.max(0, sent - received),
    migration: ended?.migration ?? 'unknown',
    told: mover.peer.events.map(({ event }) => event).filter((event) => TELLING.has(event)),
    wrong,
  };
}

/** Events that say something of the transport. */
const TELLING: ReadonlySet<string> = new Set([
  'moveCandidate',
  'moveEnded',
  'restartOffer',
  'transportSuspect',
  'transportLost',
  'sessionDisconnected',
]);

/** The answer may be lost with the control that was asked. */
function migrate({ api }: Stage, { target }: StageNodes, sessionId: string): Promise<string | null> {
  return api.migrate(sessionId, { target: target.nodeId }).then(
    ({ status, body }) => (status === 200 ? String(body['id']) : null),
    () => null,
  );
}

/** The fault comes first, then whoever stood still at the step goes on. */
async function strike(
  stage: Stage,
  nodes: StageNodes,
  { step, fault }: Cell,
  stoppedPid: number,
): Promise<void> {
  const goOn = (): void => {
    process.kill(stoppedPid, 'SIGCONT');
  };
  switch (fault.kind) {
    case 'kill':
      stage.process(fault.party, nodes).kill('SIGKILL');
      if (fault.party !== STEPS[step]) goOn();
      if (fault.party !== 'control') return;
      await pause(CONTROL_AWAY_MS);
      stage.platform.startControl();
      return;
    case 'stop':
      stage.process(fault.party, nodes).kill('SIGSTOP');
      if (fault.party !== STEPS[step]) goOn();
      await pause(AWAY_MS);
      // Nobody can ask a control that stands still for good what it has recorded; its nodes were alone long enough.
      if (!fault.forEver || fault.party === 'control') stage.process(fault.party, nodes).kill('SIGCONT');
      return;
    case 'cut':
      stage.cut(fault.between, nodes);
      goOn();
      await pause(fault.ms);
      stage.mend();
      return;
  }
}

/** Resolves once media flows both ways, the migration has ended, and roster and nodes agree about the owners. */
async function settled(
  stage: Stage,
  nodes: StageNodes,
  call: Call,
  migration: Promise<string | null>,
  { fault }: Cell,
): Promise<{ nodeId: string; migration: string }> {
  const silent = 'party' in fault && fault.party !== 'control' && isGone(fault) ? nodes[fault.party] : null;
  const living = Object.values(nodes).filter((node) => node !== silent);
  const id = await Promise.race([migration, pause(SETTLE_MS).then(() => null)]);
  let missing = 'media';
  const found = await until(
    'the call settles',
    async () => {
      const { mover, other } = call;
      const received = [mover.received, other.received];
      await pause(STILL_MS);
      if (mover.received === received[0] || other.received === received[1]) return null;
      missing = 'an answer of control';
      const view = await stage.api.session(call.sessionId).catch(() => null);
      const status = id === null ? 'unknown' : await migrationOf(stage, call, id).catch(() => null);
      if (view === null || status === null) return null;
      missing = `the end of the migration (${status})`;
      if (status === 'running' || status === 'pending') return null;
      const where = (client: FaultClient): string | null =>
        view.connections.find(({ connectionId }) => connectionId === client.peer.connectionId)?.nodeId ??
        null;
      const counted = await Promise.all(living.map((node) => stage.owned(node)));
      const recorded = living.map(
        ({ nodeId }) => [mover, other].filter((each) => where(each) === nodeId).length,
      );
      missing = `agreement: nodes own ${counted.join('/')}, the roster says ${recorded.join('/')}`;
      const agree = counted.every((count, at) => count === recorded[at]) && sum(recorded) === 2;
      const nodeId = where(mover);
      return agree && nodeId !== null ? { nodeId, migration: status } : null;
    },
    SETTLE_MS,
  ).catch(() => {
    throw new Error(`never settled: ${missing}`);
  });
  await pause(STEADY_MS);
  return found;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

const isGone = (fault: Cell['fault']): boolean =>
  fault.kind === 'kill' || (fault.kind === 'stop' && fault.forEver);

/** How the move of the moving client ended; `running` before. */
async function migrationOf({ api }: Stage, { sessionId, mover }: Call, id: string): Promise<string> {
  const { status, connections } = await api.migration(sessionId, id);
  if (status === 'pending' || status === 'running') return status;
  const move = connections?.find(({ connectionId }) => connectionId === mover.peer.connectionId);
  // A control that started anew ended it without a word of the move.
  if (move === undefined) return status;
  return move.failure === undefined ? move.outcome : `${move.outcome}: ${move.failure}`;
}

function outcomeOf({ mover }: Call, nodes: StageNodes, nodeId: string): Outcome | 'dead' {
  if (mover.peer.rejoins > 0) return 'rejoined';
  if (nodeId === nodes.target.nodeId) return 'moved';
  return nodeId === nodes.source.nodeId ? 'stayed' : 'dead';
}

function nonceFaults(datagrams: readonly CapturedDatagram[], { mover, other }: Call): string[] {
  const { violations } = auditNonces(fromServers(datagrams), () => 'any');
  const reused = [mover, other]
    .flatMap(({ peer }) => peer.received())
    .filter(({ reusedNonces }) => reusedNonces > 0);
  const wrong = violations.map((violation) => `nonce used twice: ${violation}`);
  return reused.length > 0 ? [...wrong, 'a receiver saw one index twice'] : wrong;
}

/** Resolves when it is gone: the next cell must not count it as a node. */
async function kill(process: ChildProcess): Promise<void> {
  const gone = isAlive(process) ? once(process, 'exit') : null;
  process.kill('SIGKILL');
  await gone;
}

async function tidyUp(stage: Stage, nodes: StageNodes, call: Call, { fault }: Cell): Promise<void> {
  stage.steps.clear();
  stage.mend();
  if (fault.kind === 'stop' && fault.forEver && fault.party !== 'control')
    await kill(stage.process(fault.party, nodes));
  // Whatever a failed cell left standing.
  stage.platform.control.kill('SIGCONT');
  for (const { process } of Object.values(nodes)) process.kill('SIGCONT');
  await Promise.all([call.mover.close(), call.other.close()]);
}
