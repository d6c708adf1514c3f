export * from './errors.js';
export * from './records.js';
export type { AuditRepository } from './repositories/audit.js';
export type { CallbackBounds, CallbackSweep } from './repositories/callback-bounds.js';
export type { CallbackDelivery, CallbackRepository } from './repositories/callbacks.js';
export type { ConnectionBegun, ConnectionEnded, ConnectionRepository } from './repositories/connections.js';
export type { JobClaim, JobRepository, NewJob } from './repositories/jobs.js';
export type { MetaRepository } from './repositories/meta.js';
export type { MigrationRepository } from './repositories/migrations.js';
export type { MoveRepository } from './repositories/moves.js';
export type { NodeRepository, RegisteringNode } from './repositories/nodes.js';
export type { EndNotice, PlannedEndRepository, ToldSession } from './repositories/planned-ends.js';
export type { Keeping, ReplicaRepository } from './repositories/replicas.js';
export type { SessionSignalRecord, SignalRepository } from './repositories/signals.js';
export type {
  CredentialAdded,
  CredentialRevoked,
  ProjectChanges,
  ProjectRepository,
} from './repositories/projects.js';
export type { SessionCounts, SessionRepository } from './repositories/sessions.js';
export type { StreamRepository } from './repositories/streams.js';
export type { MoveResult, TransportRepository } from './repositories/transports.js';
export { CALLBACK_RECEIVERS_MAX, PROJECT_CREDENTIALS_MAX } from './limits.js';
export { aloneAs, type Membership } from './membership.js';
export { joinReplicas, type JoinOptions } from './postgres/replicas.js';
export { lockFolder, type FolderLock } from './lock-file.js';
export { writeSeed } from './pglite/seed.js';
export {
  openFolderStorage,
  openMemoryStorage,
  openPostgresStorage,
  storageOverPool,
  type RosterStorage,
  type Storage,
} from './storage.js';
