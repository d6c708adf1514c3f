import { join } from 'node:path';
import { Kysely, PostgresDialect, type PostgresPool } from 'kysely';
import { lockFolder } from './lock-file.js';
import { migrateToLatest } from './migrations/index.js';
import { openMemorySession } from './pglite/memory.js';
import { poolOverSession } from './pglite/pool.js';
import { openWorkerSession } from './pglite/worker.js';
import { auditRepository, type AuditRepository } from './repositories/audit.js';
import { callbackRepository, type CallbackRepository } from './repositories/callbacks.js';
import { openPostgresPool } from './postgres/pool.js';
import { connectionRepository, type ConnectionRepository } from './repositories/connections.js';
import { jobRepository, type JobRepository } from './repositories/jobs.js';
import { metaRepository, type MetaRepository } from './repositories/meta.js';
import { migrationRepository, type MigrationRepository } from './repositories/migrations.js';
import { moveRepository, type MoveRepository } from './repositories/moves.js';
import { nodeRepository, type NodeRepository } from './repositories/nodes.js';
import { plannedEndRepository, type PlannedEndRepository } from './repositories/planned-ends.js';
import { projectRepository, type ProjectRepository } from './repositories/projects.js';
import { sessionRepository, type SessionRepository } from './repositories/sessions.js';
import { streamRepository, type StreamRepository } from './repositories/streams.js';
import { transportRepository, type TransportRepository } from './repositories/transports.js';
import type { Schema } from './schema.js';

/** What control remembers of calls: who is in them, and who owns what. */
export interface RosterStorage {
  readonly meta: MetaRepository;
  readonly nodes: NodeRepository;
  readonly sessions: SessionRepository;
  readonly connections: ConnectionRepository;
  readonly streams: StreamRepository;
  readonly transports: TransportRepository;
  readonly migrations: MigrationRepository;
  readonly moves: MoveRepository;
  close(): Promise<void>;
}

/** The port: everything that control remembers. */
export interface Storage extends RosterStorage {
  readonly projects: ProjectRepository;
  readonly callbacks: CallbackRepository;
  readonly jobs: JobRepository;
  readonly plannedEnds: PlannedEndRepository;
  readonly audit: AuditRepository;
}

/** In memory and in this process: for tests. */
export async function openMemoryStorage(): Promise<Storage> {
  return storageOverPool(poolOverSession(await openMemorySession()));
}

/**
 * PGlite in `folder`, in a worker thread, locked against other processes. For one process on one host; not safe
 * against power loss. Errors: dataFolderLocked, migrationFailed, workerFailed.
 */
export async function openFolderStorage(folder: string): Promise<Storage> {
  const lock = await lockFolder(folder);
  try {
    const storage = await storageOverPool(poolOverSession(await openWorkerSession(join(folder, 'database'))));
    return {
      ...storage,
      close: async () => {
        await storage.close();
        await lock.release();
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/**
 * PostgreSQL 15 or newer at `url` (postgres://…). One control at a time: see `claimDatabase`.
 * Errors: unavailable when it cannot be reached, migrationFailed.
 */
export async function openPostgresStorage(url: string): Promise<Storage> {
  return storageOverPool(openPostgresPool(url));
}

/** Any pool that speaks PostgreSQL 15 or newer. Brings the schema up to date. Owns the pool from here on. */
export async function storageOverPool(pool: PostgresPool): Promise<Storage> {
  const database = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
  try {
    await migrateToLatest(database);
  } catch (error) {
    await database.destroy();
    throw error;
  }
  return {
    meta: metaRepository(database),
    projects: projectRepository(database),
    callbacks: callbackRepository(database),
    jobs: jobRepository(database),
    plannedEnds: plannedEndRepository(database),
    audit: auditRepository(database),
    nodes: nodeRepository(database),
    sessions: sessionRepository(database),
    connections: connectionRepository(database),
    streams: streamRepository(database),
    transports: transportRepository(database),
    migrations: migrationRepository(database),
    moves: moveRepository(database),
    close: () => database.destroy(),
  };
}
