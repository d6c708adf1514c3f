export * from './dtls/index.js';
export * from './ice/index.js';
export * from './limits.js';
export * from './srtp/index.js';
export * from './state/index.js';
