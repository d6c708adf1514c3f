import { SIGNAL_DATA_BYTES_MAX } from '@godwit/protocol';
import type { ControlContext } from '../context.js';
import { ControlError } from '../errors.js';
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

/** Passes a signal on. Throws a ControlError when it is too large. */
export function sendSignal({ roster }: ControlContext, session: SessionState, signal: Signal): void {
  const { type, data, from, to } = signal;
  if (Buffer.byteLength(data) > SIGNAL_DATA_BYTES_MAX)
    throw new ControlError(
      'signalTooLarge',
      `The data of a signal has at most ${SIGNAL_DATA_BYTES_MAX} bytes.`,
    );
  const event = {
    event: 'signal' as const,
    ...(type === undefined ? {} : { signalType: type }),
    data,
    ...(from === null ? {} : { from: from.info }),
  };
  if (to === null) roster.broadcast(session, event);
  else to.channel.push(event);
}
