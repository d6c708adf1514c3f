/** Every way in which the command itself can fail, with the exit code that scripts see (sysexits.h where one fits). */
export const cliErrorCatalogue = {
  usage: { exitCode: 64, retryable: false },
  unavailable: { exitCode: 69, retryable: true },
  refused: { exitCode: 1, retryable: false },
  migrationFailed: { exitCode: 1, retryable: true },
  configuration: { exitCode: 78, retryable: false },
} as const;
export type CliErrorCode = keyof typeof cliErrorCatalogue;

/** Exit code of a child that would fail again in the same way: it is not started anew. */
export const CONFIGURATION_EXIT_CODE = cliErrorCatalogue.configuration.exitCode;

/** An error for the person at the terminal: one line that names the remedy. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly code: CliErrorCode;

  constructor(code: CliErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Errors of siblings whose message is already one line with the remedy. */
const CONFIGURATION_ERROR_NAMES = new Set(['SettingsError', 'StorageError']);

/** What to print and how to exit for anything that was thrown. */
export function explain(error: unknown): { readonly message: string; readonly exitCode: number } {
  if (error instanceof CliError) {
    return { message: error.message, exitCode: cliErrorCatalogue[error.code].exitCode };
  }
  if (!(error instanceof Error)) return { message: String(error), exitCode: 1 };
  // A database that is away comes back: whoever supervises this process may start it again.
  if ((error as { retryable?: unknown }).retryable === true)
    return { message: error.message, exitCode: cliErrorCatalogue.unavailable.exitCode };
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'EADDRINUSE') {
    const port = (error as NodeJS.ErrnoException & { port?: number }).port;
    return {
      message: `Port ${port ?? ''} is in use. Stop the other program, or set GODWIT_PORT to a free port.`,
      exitCode: CONFIGURATION_EXIT_CODE,
    };
  }
  if (code === 'EACCES') {
    return {
      message: `${error.message}. Choose a port above 1023 and a folder that this user may write to.`,
      exitCode: CONFIGURATION_EXIT_CODE,
    };
  }
  const exitCode = CONFIGURATION_ERROR_NAMES.has(error.name) ? CONFIGURATION_EXIT_CODE : 1;
  return { message: error.message, exitCode };
}
