import type { SignallingError } from '@godwit/protocol';

interface CatalogueEntry {
  /** Number as OpenTok.js has it. */
  code: number;
  message: string;
  /** Whether the same call may succeed later without a change. */
  retryable: boolean;
}

/** Every error the SDK reports, by name. Names and numbers are those of OpenTok.js where it has them. */
export const ERRORS = {
  OT_AUTHENTICATION_ERROR: {
    code: 1004,
    message: 'The token is not valid for this session.',
    retryable: false,
  },
  OT_INVALID_SESSION_ID: { code: 1005, message: 'The session does not exist.', retryable: false },
  OT_CONNECT_FAILED: { code: 1006, message: 'The server could not be reached.', retryable: true },
  OT_NOT_CONNECTED: { code: 1010, message: 'The session is not connected.', retryable: true },
  OT_INVALID_PARAMETER: { code: 1011, message: 'A parameter is not valid.', retryable: false },
  OT_PERMISSION_DENIED: { code: 1500, message: 'The token does not allow this.', retryable: false },
  OT_USER_MEDIA_ACCESS_DENIED: { code: 1500, message: 'Camera or microphone was refused.', retryable: false },
  OT_UNABLE_TO_SIGNAL: { code: 1510, message: 'The signal could not be sent.', retryable: true },
  OT_UNABLE_TO_FORCE_DISCONNECT: {
    code: 1520,
    message: 'The client could not be disconnected.',
    retryable: false,
  },
  OT_UNABLE_TO_FORCE_UNPUBLISH: {
    code: 1530,
    message: 'The stream could not be unpublished.',
    retryable: false,
  },
  OT_UNABLE_TO_FORCE_MUTE: { code: 1540, message: 'The stream could not be muted.', retryable: false },
  OT_ICE_WORKFLOW_FAILED: { code: 1554, message: 'No media path to the server was found.', retryable: true },
  OT_SUBSCRIBER_WEBRTC_ERROR: { code: 1600, message: 'The subscriber could not be set up.', retryable: true },
  OT_PUBLISHER_WEBRTC_ERROR: { code: 1601, message: 'The publisher could not be set up.', retryable: true },
  OT_STREAM_NOT_FOUND: { code: 1604, message: 'The stream has ended or does not exist.', retryable: false },
  OT_HARDWARE_UNAVAILABLE: { code: 1500, message: 'The device is in use elsewhere.', retryable: true },
  OT_NO_DEVICES_FOUND: { code: 1500, message: 'No camera or microphone was found.', retryable: false },
  OT_CONSTRAINTS_NOT_SATISFIED: { code: 1500, message: 'No device meets the constraints.', retryable: false },
  OT_CODEC_NOT_SUPPORTED: {
    code: 1600,
    message: 'No codec of the stream is supported here.',
    retryable: false,
  },
  OT_OFFER_SUPERSEDED: {
    code: 1601,
    message: 'A restart of the server overtook this offer.',
    retryable: true,
  },
  OT_CONNECTION_LIMIT_EXCEEDED: { code: 1027, message: 'The session is full.', retryable: true },
  OT_STREAM_LIMIT_EXCEEDED: { code: 1605, message: 'The session has too many streams.', retryable: false },
  OT_TOO_MANY_REQUESTS: { code: 1011, message: 'Too many requests in a short time.', retryable: true },
  OT_TIMEOUT: { code: 1501, message: 'The server did not answer in time.', retryable: true },
  OT_UNSUPPORTED_BROWSER: { code: 1013, message: 'This browser lacks WebRTC.', retryable: false },
  OT_NOT_SUPPORTED: { code: 1013, message: 'This is not supported here.', retryable: false },
  OT_UNEXPECTED_SERVER_RESPONSE: {
    code: 2001,
    message: 'The server sent something unknown.',
    retryable: true,
  },
  OT_INTERNAL_ERROR: { code: 2000, message: 'An internal error happened.', retryable: true },
} as const satisfies Record<string, CatalogueEntry>;

export type OTErrorName = keyof typeof ERRORS;

/** The error that every callback and promise of the SDK carries. */
export class OTError extends Error {
  /** Number as OpenTok.js has it (1004, 1005, …). */
  readonly code: number;
  /** Whether the same call may succeed later without a change. */
  readonly retryable: boolean;
  constructor(name: string, code: number, message: string, retryable: boolean) {
    super(message);
    this.name = name;
    this.code = code;
    this.retryable = retryable;
  }
}

/** Makes an error of the catalogue; `detail` replaces its general message. */
export function otError(name: OTErrorName, detail?: string): OTError {
  const entry = ERRORS[name];
  return new OTError(name, entry.code, detail ?? entry.message, entry.retryable);
}

/** Turns the server's error into ours; its name may be one we do not know. */
export function fromSignallingError(error: SignallingError): OTError {
  const known: CatalogueEntry | undefined = Object.hasOwn(ERRORS, error.name)
    ? ERRORS[error.name as OTErrorName]
    : undefined;
  return new OTError(error.name, error.code, error.message, known?.retryable ?? false);
}

/** Keeps an OTError, wraps anything else. */
export function asOTError(error: unknown, fallback: OTErrorName): OTError {
  if (error instanceof OTError) return error;
  return otError(fallback, error instanceof Error ? error.message : undefined);
}
