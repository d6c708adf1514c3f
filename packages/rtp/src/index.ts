export * from './limits.js';
export * from './rtcp/index.js';
export * from './rtp/index.js';
export * from './stun/index.js';
export * from './sdp/index.js';
