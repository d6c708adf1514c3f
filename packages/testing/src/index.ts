export * from './chromium.js';
export * from './network-namespace.js';
export * from './nonce-audit.js';
export * from './pcap.js';
export * from './platform.js';
