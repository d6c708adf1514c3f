export * from './limits.js';
export * from './values.js';
export * from './port.js';
