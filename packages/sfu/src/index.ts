export * from './limits.js';
export * from './peer-messages.js';
export { Router } from './router.js';
export type { RoutedStream, StreamSource } from './stream-state.js';
export type { FrozenTransportCc } from './transport-cc-reporter.js';
