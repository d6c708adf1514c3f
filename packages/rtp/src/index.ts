export * from './limits.js';
export * from './rtp/index.js';
