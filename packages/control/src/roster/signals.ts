import { connectionInfo, type SignallingEvent } from '@godwit/protocol';
import type { Json, SignalRecord } from '@godwit/storage';
import { z } from 'zod';
import type { ControlContext } from '../context.js';
import type { ConnectionState, SessionState } from './state.js';
import { isDatabaseAway } from './unwritten.js';

/** Something that a client, or the server, says to everybody in a session or to one. */
export interface Signal {
  readonly type?: string | undefined;
  readonly data: string;
  /** Null: the server. */
  readonly from: ConnectionState | null;
  /** Null: everybody, the sender too. */
  readonly to: ConnectionState | null;
  /** The sender's own number of the request: a signal that it repeats is told once. Null: the server has none. */
  readonly requestId: number | null;
}

type SignalEvent = Extract<SignallingEvent, { event: 'signal' }>;

const storedSignal = z.object({
  signalType: z.string().optional(),
  data: z.string(),
  from: connectionInfo.optional(),
});

/** Writes a signal and passes it on. Whoever takes it in has judged its size. Resolves once everybody has been told. */
export function sendSignal(
  { roster, storage, clockMs }: ControlContext,
  session: SessionState,
  signal: Signal,
): Promise<void> {
  const { type, data, from, to, requestId } = signal;
  const event: Omit<SignalEvent, 'number'> = {
    event: 'signal',
    ...(type === undefined ? {} : { signalType: type }),
    data,
    ...(from === null ? {} : { from: from.info }),
  };
  const toConnectionId = to?.connectionId ?? null;
  const fromConnectionId = from?.connectionId ?? null;
  return session.signals.send(
    { event: event as unknown as Json, fromConnectionId, toConnectionId, requestId, createdAtMs: clockMs() },
    (number) => {
      const numbered = number === undefined ? event : { ...event, number };
      if (to === null) roster.broadcast(session, numbered);
      else to.channel.push(numbered);
    },
    {
      append: (signals) => storage.signals.append(session.sessionId, session.term, signals),
      isAway: isDatabaseAway,
    },
  );
}

/** Tells a client once more what it has missed; null: it does not know how far it came. */
export function repeatSignals(
  { session, connectionId, channel }: ConnectionState,
  lastSignal: number | null,
): void {
  if (lastSignal === null) return;
  for (const record of session.signals.missedBy(connectionId, lastSignal)) {
    const event = eventOf(record);
    if (event !== null) channel.push(event);
  }
}

/** Null: another version wrote it, in a way that this one cannot read. */
function eventOf({ event, number }: SignalRecord): SignalEvent | null {
  const parsed = storedSignal.safeParse(event);
  return parsed.success ? { event: 'signal', ...parsed.data, number } : null;
}
