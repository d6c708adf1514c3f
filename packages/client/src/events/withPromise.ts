import { reported } from './exceptions.js';

/** A method in both forms of OpenTok.js: with a callback, and as `.promise` with a promise. */
export function withPromise<
  Call extends (...parameters: never[]) => unknown,
  Parameters extends unknown[],
  Value,
>(
  call: Call,
  promise: (...parameters: Parameters) => Promise<Value>,
): Call & { readonly promise: (...parameters: Parameters) => Promise<Value> } {
  return Object.assign(call, {
    promise: (...parameters: Parameters): Promise<Value> => reported(promise(...parameters)),
  });
}
