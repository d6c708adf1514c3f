export * from './chromium.js';
export * from './firefox.js';
export * from './network-namespace.js';
export * from './nonce-audit.js';
export * from './pcap.js';
export * from './platform.js';
export * from './test-page.js';
export * from './trend.js';
