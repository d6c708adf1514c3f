export * from './limits.js';
export * from './media.js';
export * from './moves.js';
export * from './signalling.js';
export * from './node.js';
export * from './state-schemas.js';
export * from './settings.js';
