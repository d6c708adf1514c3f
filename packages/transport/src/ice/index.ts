export { createIceCredentials, parseIceUsername, type IceUsername } from './credentials.js';
export { frozenIce, type FrozenHops, type FrozenIce } from './frozen-ice.js';
export {
  chooseFreshAddresses,
  formatAddress,
  hopPriority,
  type HopPlan,
  type PrioritisedAddress,
} from './hop-ledger.js';
export { IceLiteAgent, type IceLiteAgentInit, type IceOutput, type IceRejection } from './ice-lite-agent.js';
export { isSamePair, type IcePair } from './pair.js';
