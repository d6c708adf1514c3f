// The calls of the `opentok` package that the server needs, as promises.
import { promisify } from 'node:util';

/** What the platform tells us: the notice of a rotation, and the end of a session. */
const EVENTS = ['sessionNotification', 'sessionDestroyed'];

export function sdk(opentok) {
  const create = promisify(opentok.createSession.bind(opentok));
  const signal = promisify(opentok.signal.bind(opentok));
  return {
    /** Resolves with the id. */
    createSession: async () => (await create({ mediaMode: 'routed' })).sessionId,
    /** To everybody in the session. */
    signal: (sessionId, payload) => signal(sessionId, null, payload),
  };
}

/** Registers this server for the events above, unless an earlier start has done so. */
export async function listenToSessions(opentok, url) {
  const list = promisify(opentok.listCallbacks.bind(opentok));
  const register = promisify(opentok.registerCallback.bind(opentok));
  const known = (await list()).filter((callback) => callback.url === url).map(({ event }) => event);
  for (const event of EVENTS) {
    if (!known.includes(event)) await register({ group: 'session', event, url });
  }
}
