/** Every error that a REST caller can meet: Vonage's codes where there is one, else codes of ours from 70000 on. */
export const errorCatalogue = {
  badRequest: { status: 400, code: 70000, message: 'Bad request', retryable: false },
  unauthorized: { status: 401, code: 70001, message: 'Authentication failed', retryable: false },
  forbidden: { status: 403, code: 70002, message: 'Not allowed', retryable: false },
  notFound: { status: 404, code: 70003, message: 'Not found', retryable: false },
  sessionNotFound: { status: 404, code: 70004, message: 'Session not found', retryable: false },
  streamNotFound: { status: 404, code: 70005, message: 'Stream not found', retryable: false },
  migrationNotFound: { status: 404, code: 70006, message: 'Migration not found', retryable: false },
  nodeNotFound: { status: 404, code: 70007, message: 'Node not found', retryable: false },
  assetMissing: { status: 404, code: 70008, message: 'Not built', retryable: false },
  bodyTooLarge: { status: 413, code: 70009, message: 'Body too large', retryable: false },
  migrationInProgress: {
    status: 409,
    code: 15214,
    message: 'Migration is already in progress for this session',
    retryable: true,
  },
  migrationTooSoon: {
    status: 409,
    code: 15215,
    message: 'Migration is not allowed shortly after session creation or a previous migration',
    retryable: true,
  },
  targetNotInService: {
    status: 409,
    code: 70010,
    message: 'The target node is not in service',
    retryable: true,
  },
  noOtherNode: { status: 409, code: 70011, message: 'No other node is in service', retryable: true },
  demoLimit: { status: 409, code: 70012, message: 'Too many demo sessions', retryable: false },
  noSecret: { status: 409, code: 70015, message: 'The project has no secret', retryable: false },
  connectionNotFound: { status: 404, code: 70016, message: 'Connection not found', retryable: false },
  callbackNotFound: { status: 404, code: 70017, message: 'Callback not found', retryable: false },
  callbackLimit: { status: 409, code: 70018, message: 'Too many callback receivers', retryable: false },
  projectNotFound: { status: 404, code: 70019, message: 'Project not found', retryable: false },
  projectExists: { status: 409, code: 70020, message: 'Project exists already', retryable: false },
  credentialNotFound: { status: 404, code: 70021, message: 'Credential not found', retryable: false },
  credentialLimit: { status: 409, code: 70022, message: 'Too many valid credentials', retryable: false },
  lastCredential: { status: 409, code: 70023, message: 'The last credential stays', retryable: false },
  tooManyRequests: { status: 429, code: 70025, message: 'Too many requests', retryable: true },
  signalTooLarge: { status: 413, code: 70024, message: 'Signal too large', retryable: false },
  internal: { status: 500, code: 70013, message: 'Internal error', retryable: true },
  unavailable: { status: 503, code: 70014, message: 'Not ready', retryable: true },
} as const;
export type ErrorName = keyof typeof errorCatalogue;

/** An error with an entry in the catalogue; `description` says what is wrong with this request. */
export class ControlError extends Error {
  readonly entry: ErrorName;
  readonly description: string;
  /** When it is worth asking again; null: nobody knows. */
  readonly retryAfterSeconds: number | null;

  constructor(entry: ErrorName, description: string, options: { readonly retryAfterSeconds?: number } = {}) {
    super(errorCatalogue[entry].message);
    this.name = 'ControlError';
    this.entry = entry;
    this.description = description;
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
  }

  get status(): number {
    return errorCatalogue[this.entry].status;
  }

  /** Body of the answer, in the shape that the server SDKs read. */
  get body(): { code: number; message: string; description: string } {
    const { code, message } = errorCatalogue[this.entry];
    return { code, message, description: this.description };
  }
}

/** Errors that a client meets on the signalling socket, with OpenTok.js' codes and names. */
export const clientErrorCatalogue = {
  authentication: { code: 1004, name: 'OT_AUTHENTICATION_ERROR', retryable: false },
  invalidSession: { code: 1005, name: 'OT_INVALID_SESSION_ID', retryable: false },
  connectFailed: { code: 1006, name: 'OT_CONNECT_FAILED', retryable: true },
  notConnected: { code: 1010, name: 'OT_NOT_CONNECTED', retryable: false },
  invalidParameter: { code: 1011, name: 'OT_INVALID_PARAMETER', retryable: false },
  connectionLimit: { code: 1027, name: 'OT_CONNECTION_LIMIT_EXCEEDED', retryable: true },
  unableToPublish: { code: 1500, name: 'OT_PERMISSION_DENIED', retryable: false },
  unableToSubscribe: { code: 1500, name: 'OT_PERMISSION_DENIED', retryable: false },
  unableToSignal: { code: 1510, name: 'OT_UNABLE_TO_SIGNAL', retryable: false },
  unableToForceDisconnect: { code: 1520, name: 'OT_UNABLE_TO_FORCE_DISCONNECT', retryable: false },
  unableToForceUnpublish: { code: 1530, name: 'OT_UNABLE_TO_FORCE_UNPUBLISH', retryable: false },
  unableToForceMute: { code: 1540, name: 'OT_UNABLE_TO_FORCE_MUTE', retryable: false },
  invalidStream: { code: 1535, name: 'OT_STREAM_NOT_FOUND', retryable: false },
  streamNotFound: { code: 1604, name: 'OT_STREAM_NOT_FOUND', retryable: false },
  streamLimit: { code: 1605, name: 'OT_STREAM_LIMIT_EXCEEDED', retryable: false },
  codecsDoNotMatch: { code: 1600, name: 'OT_CODEC_NOT_SUPPORTED', retryable: false },
  offerSuperseded: { code: 1601, name: 'OT_OFFER_SUPERSEDED', retryable: true },
  mediaUnavailable: { code: 1554, name: 'OT_ICE_WORKFLOW_FAILED', retryable: true },
  tooManyRequests: { code: 1011, name: 'OT_TOO_MANY_REQUESTS', retryable: true },
  internal: { code: 2000, name: 'OT_INTERNAL_ERROR', retryable: true },
} as const;
export type ClientErrorName = keyof typeof clientErrorCatalogue;

/** Refuses a client's request with an entry of the catalogue. */
export class ClientError extends Error {
  readonly entry: ClientErrorName;

  constructor(entry: ClientErrorName, message: string) {
    super(message);
    this.name = 'ClientError';
    this.entry = entry;
  }

  /** As it goes over the wire. */
  get wire(): { code: number; name: string; message: string } {
    const { code, name } = clientErrorCatalogue[this.entry];
    return { code, name, message: this.message };
  }
}
