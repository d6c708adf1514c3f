import { asOTError } from '../errors.js';
import type { OTError, OTErrorName } from '../errors.js';
import { reportException } from './exceptions.js';

/** Callback of OpenTok.js: an error, or nothing and a value. */
export type Completion<Value = void> = (error?: OTError, value?: Value) => void;

/** Runs `completion` when `work` settles; without one, a failure is not left unhandled. */
export function complete<Value>(
  work: Promise<Value>,
  completion: Completion<Value> | undefined,
  fallback: OTErrorName,
): void {
  work.then(
    (value) => completion?.(undefined, value),
    (thrown: unknown) => {
      const error = asOTError(thrown, fallback);
      reportException(error);
      completion?.(error);
    },
  );
}
