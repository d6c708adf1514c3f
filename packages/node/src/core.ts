/** The door of the simulation: a node without its process. */
export { NodeCore, type ControlChannel, type NodeCoreOptions, type NodeDescription } from './node-core.js';
export type { Handshakes } from './commands/handshakes.js';
export { ControlBacklog } from './control/control-backlog.js';
export { NodeError } from './errors.js';
export { decodeHandoverMessage, HANDOVER_MESSAGE_CLASS } from './handover/messages.js';
export { NodeIdentity } from './link/identity.js';
export { AddressPool } from './transport/address-pool.js';
export {
  CONTROL_RECONNECT_MS,
  CONTROL_RECONNECT_MS_MAX,
  CONTROL_SILENCE_MS,
  GRANT_INDICES,
  LINGER_MS,
  TICK_INTERVAL_MS,
  TOMBSTONE_MS,
} from './limits.js';
