/** What can go wrong with the storage itself; each message says what to do. */
export const storageErrorCatalogue = {
  dataFolderLocked: { code: 'dataFolderLocked', retryable: false },
  /** Another control has taken the session over. */
  sessionTaken: { code: 'sessionTaken', retryable: false },
  /** Controls that share a database must have the same secrets. */
  otherSecrets: { code: 'otherSecrets', retryable: false },
  migrationFailed: { code: 'migrationFailed', retryable: false },
  closed: { code: 'closed', retryable: false },
  workerFailed: { code: 'workerFailed', retryable: false },
  /** The database cannot be reached, restarts, or has no connection left. */
  unavailable: { code: 'unavailable', retryable: true },
  statementTimeout: { code: 'statementTimeout', retryable: true },
} as const;
export type StorageErrorCode = keyof typeof storageErrorCatalogue;

/** An error of the storage, with a code of the catalogue and a one-line message that names the remedy. */
export class StorageError extends Error {
  readonly code: StorageErrorCode;
  readonly retryable: boolean;

  constructor(code: StorageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StorageError';
    this.code = code;
    this.retryable = storageErrorCatalogue[code].retryable;
  }
}
