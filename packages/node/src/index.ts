export { startNode, type NodeProcess } from './node-process.js';
export { nodeSettingsTable, parseNodeSettings, SettingsError, type NodeSettings } from './settings.js';
export { NodeError } from './errors.js';
