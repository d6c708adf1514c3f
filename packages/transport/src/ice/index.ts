export { chooseFreshAddresses, formatAddress } from './addresses.js';
export { createIceCredentials, parseIceUsername, type IceUsername } from './credentials.js';
export { frozenIce, type FrozenIce } from './frozen-ice.js';
export { IceLiteAgent, type IceLiteAgentInit, type IceOutput, type IceRejection } from './ice-lite-agent.js';
export { isSamePair, type IcePair } from './pair.js';
