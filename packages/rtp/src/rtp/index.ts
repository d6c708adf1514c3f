export * from './classify.js';
export * from './extension-uris.js';
export * from './extension-values.js';
export * from './header-extension.js';
export * from './header.js';
export * from './packet.js';
export * from './rtx.js';
export * from './serial.js';
