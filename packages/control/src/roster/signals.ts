import type { ControlContext } from '../context.js';
import type { ConnectionState, SessionState } from './state.js';

/** Something that a client, or the server, says to everybody in a session or to one. */
export interface Signal {
  readonly type?: string | undefined;
  readonly data: string;
  /** Null: the server. */
  readonly from: ConnectionState | null;
  /** Null: everybody, the sender too. */
  readonly to: ConnectionState | null;
}

/** Passes a signal on. Whoever takes it in has judged its size. */
export function sendSignal({ roster }: ControlContext, session: SessionState, signal: Signal): void {
  const { type, data, from, to } = signal;
  const event = {
    event: 'signal' as const,
    ...(type === undefined ? {} : { signalType: type }),
    data,
    ...(from === null ? {} : { from: from.info }),
  };
  if (to === null) roster.broadcast(session, event);
  else to.channel.push(event);
}
