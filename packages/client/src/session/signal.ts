import { otError } from '../errors.js';
import type { OTError } from '../errors.js';
import { SIGNAL_DATA_BYTES_MAX, SIGNAL_TYPE_CHARS_MAX } from '../limits.js';
import type { RequestBody } from '../signalling/requests.js';
import type { Connection } from './stream.js';

/** What `session.signal` takes. */
export interface Signal {
  /** Letters, digits, "-", "_", "~"; listeners of `signal:<type>` get it. */
  type?: string;
  /** At most 8 kB. */
  data?: string;
  /** Only this client gets it; absent means everybody. */
  to?: Connection | string;
  /** False: fails at once while signalling is away, instead of being sent afterwards. Default true. */
  retryAfterReconnect?: boolean;
}

/** The request for a signal, or why there is none. */
export function signalRequest(signal: Signal): RequestBody<'signal'> | OTError {
  const { type, data = '', to } = signal;
  if (type !== undefined && !(type.length <= SIGNAL_TYPE_CHARS_MAX && /^[\w~-]+$/.test(type))) {
    return otError(
      'OT_INVALID_PARAMETER',
      'The type of a signal has 1 to 128 letters, digits, "-", "_" or "~".',
    );
  }
  if (typeof data !== 'string') return otError('OT_INVALID_PARAMETER', 'The data of a signal is a string.');
  if (new TextEncoder().encode(data).length > SIGNAL_DATA_BYTES_MAX) {
    return otError('OT_INVALID_PARAMETER', `A signal carries at most ${SIGNAL_DATA_BYTES_MAX} bytes.`);
  }
  const receiver = typeof to === 'object' ? to.connectionId : to;
  return {
    data,
    ...(type !== undefined && { signalType: type }),
    ...(receiver !== undefined && { to: receiver }),
  };
}
