/** A method in both forms of OpenTok.js: with a callback, and as `.promise` with a promise. */
export function withPromise<Call extends (...parameters: never[]) => unknown, WithPromise>(
  call: Call,
  promise: WithPromise,
): Call & { readonly promise: WithPromise } {
  return Object.assign(call, { promise });
}
