export { createControl, type Control, type ControlOptions } from './control.js';
export type { Timings } from './context.js';
export {
  ControlError,
  clientErrorCatalogue,
  errorCatalogue,
  type ClientErrorName,
  type ErrorName,
} from './errors.js';
export { newSessionId, parseSessionId } from './ids.js';
export { loadSecrets, secretsPath, type Secrets } from './secrets.js';
export { controlSettingsTable, parseSettings, SettingsError, type ControlSettings } from './settings.js';
export type { MigrationView } from './migration/view.js';
export type { SessionView } from './http/admin.js';
export type { NodeSummary } from './http/node-view.js';
export type { AdminNode } from './http/nodes.js';
export type { ReplicaView } from './http/replicas.js';
