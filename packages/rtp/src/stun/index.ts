export * from './build.js';
export { verifyFingerprint, verifyIntegrity } from './integrity.js';
export * from './ip-address.js';
export * from './message.js';
export type { StunAddress } from './xor-address.js';
