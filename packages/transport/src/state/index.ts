export { decodePortableTransport, encodePortableTransport, type DecodedState } from './codec.js';
export type { FrozenFeedback, PortableTransport, StateRefusal } from './portable-transport.js';
export { STATE_SCHEMAS } from './schemas.js';
export { createSealKeyPair, openState, sealState, SealKeyPair, type SealContext } from './seal.js';
