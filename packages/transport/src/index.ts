export * from './limits.js';
export * from './srtp/index.js';
