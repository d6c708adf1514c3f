import { OTError, otError } from '../errors.js';

/** Turns a failure of getUserMedia, getDisplayMedia or setSinkId into ours. */
export function mediaError(error: unknown): OTError {
  if (error instanceof OTError) return error;
  const name = error instanceof Error || error instanceof DOMException ? error.name : '';
  const detail = error instanceof Error ? error.message : undefined;
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return otError('OT_USER_MEDIA_ACCESS_DENIED');
    case 'NotFoundError':
      return otError('OT_NO_DEVICES_FOUND');
    case 'NotReadableError':
    case 'AbortError':
      return otError('OT_HARDWARE_UNAVAILABLE');
    case 'OverconstrainedError':
      return otError('OT_CONSTRAINTS_NOT_SATISFIED');
    default:
      return otError('OT_INVALID_PARAMETER', detail);
  }
}
