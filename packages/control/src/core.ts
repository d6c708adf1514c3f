/** The door of the simulation: control's decisions without its listeners. */
export { ControlCore, type ControlCoreOptions } from './control-core.js';
export type { ControlContext } from './context.js';
export { hashResumeToken, newResumeToken } from './ids.js';
export { TICK_INTERVAL_MS, TRANSFER_TIMEOUT_MS } from './limits.js';
export { moveTransport, type MoveReport } from './migration/move.js';
export type { NegotiatedSection, NegotiatedState } from './negotiation/state.js';
export { disconnect, endConnection, resume, startGrace } from './roster/connections.js';
export type { ClientSocket } from './roster/client-channel.js';
export { keepSession } from './roster/keep.js';
export {
  newConnectionState,
  newTransportState,
  type ConnectionState,
  type SessionState,
  type StreamState,
  type TransportDescription,
} from './roster/state.js';
export { capabilitiesOf } from './tokens/roles.js';
export { configure, refreshSubscribers } from './transports/configure.js';
export { candidatesOfHop } from './transports/describe.js';
export { descriptionJson, saveDescription } from './transports/persist.js';
export { handleRestartAnswer, restartAtOwner } from './transports/restart.js';
