import { clockMs } from '@godwit/testing';
import type { BenchClient } from './client.js';
import { closedLoop, timed, type LoopBounds, type Measurement } from './closed-loop.js';
import type { Stage } from './stage.js';

/** Operations under way at a time. */
export const CONCURRENT = 8;
/** Who hears each signal, besides its sender. */
export const RECEIVERS = 10;
/** Control lets a client send 200 messages at once and 50 a second: a fresh sender stays below. */
const SIGNALS_PER_SENDER = 180;
/** The length of a chat line. */
const SIGNAL_PADDING = 'x'.repeat(100);

export const OPERATIONS = ['creations', 'token checks', 'token issues', 'joins', 'signals'] as const;
export type Operation = (typeof OPERATIONS)[number];

const measures: Record<Operation, (stage: Stage, bounds: LoopBounds) => Promise<Measurement>> = {
  creations: (stage, bounds) =>
    closedLoop(
      same(() => timed(() => stage.createSession())),
      bounds,
    ),
  'token checks': measureChecks,
  'token issues': measureIssues,
  joins: measureJoins,
  signals: measureSignals,
};

/** Measures one operation once. The stage has CONCURRENT sessions at least that nobody is in. */
export function measure(operation: Operation, stage: Stage, bounds: LoopBounds): Promise<Measurement> {
  return measures[operation](stage, bounds);
}

const same = (operation: () => Promise<number>): (() => Promise<number>)[] =>
  Array.from({ length: CONCURRENT }, () => operation);

/** The list of a session that somebody is in: its JWT is checked, and the database is not asked. */
async function measureChecks(stage: Stage, bounds: LoopBounds): Promise<Measurement> {
  const [admission] = await stage.admissions(1);
  if (admission === undefined) throw new Error('there is no session to look at');
  const somebody = await stage.join(admission);
  const result = await closedLoop(
    same(() => timed(() => stage.rest.listConnections(admission.sessionId))),
    bounds,
  );
  await somebody.leave();
  return result;
}

/** The JWT is checked, the session read from its row, and a token signed. */
async function measureIssues(stage: Stage, bounds: LoopBounds): Promise<Measurement> {
  const admissions = await stage.admissions(CONCURRENT);
  return closedLoop(
    admissions.map(
      ({ sessionId }) =>
        () =>
          timed(() => stage.rest.issueToken(sessionId)),
    ),
    bounds,
  );
}

/** A new socket, connect, disconnect, closed, written; the latency is that of socket and connect. */
async function measureJoins(stage: Stage, bounds: LoopBounds): Promise<Measurement> {
  const admissions = await stage.admissions(CONCURRENT);
  return closedLoop(
    admissions.map((admission) => async () => {
      const startMs = clockMs();
      const client = await stage.join(admission);
      const joinMs = clockMs() - startMs;
      await client.leave();
      return joinMs;
    }),
    { ...bounds, settled: () => stage.settled() },
  );
}

/** Each worker is one session: a signal is sent when everybody has the one before. The latency is the last receiver's. */
async function measureSignals(stage: Stage, bounds: LoopBounds): Promise<Measurement> {
  const admissions = await stage.admissions(CONCURRENT);
  const calls = await Promise.all(
    admissions.map((admission) =>
      Promise.all(Array.from({ length: RECEIVERS + 1 }, () => stage.join(admission))),
    ),
  );
  const workers = calls.map(([sender, ...receivers]) => signalling(sender, receivers));
  const result = await closedLoop(workers, { ...bounds, countMax: SIGNALS_PER_SENDER * workers.length });
  await Promise.all(calls.flat().map((client) => client.leave()));
  return result;
}

function signalling(
  sender: BenchClient | undefined,
  receivers: readonly BenchClient[],
): () => Promise<number> {
  let number = 0;
  return async () => {
    number += 1;
    const data = `${number} ${SIGNAL_PADDING}`;
    const startMs = clockMs();
    let missing = receivers.length;
    const heard = new Promise<void>((resolve) => {
      for (const receiver of receivers) {
        receiver.onSignal = (text) => {
          if (text !== data) return;
          missing -= 1;
          if (missing === 0) resolve();
        };
      }
    });
    await Promise.all([sender?.signal(data), heard]);
    return clockMs() - startMs;
  };
}
