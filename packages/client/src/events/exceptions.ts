import { asOTError } from '../errors.js';
import type { OTError, OTErrorName } from '../errors.js';
import { Emitter } from './emitter.js';
import { makeEvent } from './event.js';
import type { OTEvent } from './event.js';

/** Every error that a callback or promise of the SDK gave to the page. */
export type ExceptionEvent = OTEvent<'exception'> & {
  code: number;
  message: string;
  /** The error's name. */
  title: string;
};

export interface ExceptionEvents {
  exception: ExceptionEvent;
}

/** Behind `OT.on('exception')`. */
export const exceptions = new Emitter<ExceptionEvents>();

/** One error may reach the page twice: by initPublisher and by publish. */
const told = new WeakSet<OTError>();

/** Tells the listeners of `exception`, once for each error. */
export function reportException(error: OTError): void {
  if (told.has(error)) return;
  told.add(error);
  const { code, message, name: title } = error;
  exceptions.dispatch('exception', makeEvent('exception', exceptions, { code, message, title }));
}

/** The same promise; its failure is reported too. */
export function reported<Value>(
  work: Promise<Value>,
  fallback: OTErrorName = 'OT_INTERNAL_ERROR',
): Promise<Value> {
  work.catch((error: unknown) => reportException(asOTError(error, fallback)));
  return work;
}
