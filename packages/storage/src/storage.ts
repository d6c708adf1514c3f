import { Kysely, PostgresDialect, type PostgresPool } from 'kysely';
import { lockFolder } from './lock-file.js';
import { migrateToLatest } from './migrations/index.js';
import { databaseFolder, type DatabaseFolder } from './pglite/folder.js';
import { openMemorySession } from './pglite/memory.js';
import { poolOverSession } from './pglite/pool.js';
import { findSeed, SEED_FOLDER } from './pglite/seed.js';
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
import { replicaRepository, type ReplicaRepository } from './repositories/replicas.js';
import { sessionRepository, type SessionRepository } from './repositories/sessions.js';
import { signalRepository, type SignalRepository } from './repositories/signals.js';
import { streamRepository, type StreamRepository } from './repositories/streams.js';
import { transportRepository, type TransportRepository } from './repositories/transports.js';
import type { Schema } from './schema.js';

/** What control remembers of calls: who is in them, and who owns what. */
export interface RosterStorage {
  readonly meta: MetaRepository;
  readonly replicas: ReplicaRepository;
  readonly nodes: NodeRepository;
  readonly sessions: SessionRepository;
  readonly connections: ConnectionRepository;
  readonly streams: StreamRepository;
  readonly transports: TransportRepository;
  readonly signals: SignalRepository;
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
 * against power loss. A new one is filled from the seed in `seeds`, where the build puts it, if there is one that fits.
 * Errors: dataFolderLocked, migrationFailed, workerFailed.
 */
export async function openFolderStorage(folder: string, seeds: string = SEED_FOLDER): Promise<Storage> {
  const lock = await lockFolder(folder);
  try {
    const database = await databaseFolder(folder);
    const storage = database.isNew ? await makeDatabase(database, seeds) : await openDatabase(database);
    await database.finish();
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

async function makeDatabase(database: DatabaseFolder, seeds: string): Promise<Storage> {
  const seed = await findSeed(seeds);
  if (seed === null) return openDatabase(database);
  try {
    return await openDatabase(database, seed);
  } catch {
    // A seed that is broken costs the time that it would have saved; what else is wrong shows again.
    await database.empty();
    return openDatabase(database);
  }
}

const openDatabase = async ({ path }: DatabaseFolder, seed?: string): Promise<Storage> =>
  storageOverPool(poolOverSession(await openWorkerSession(path, seed)));

/**
 * PostgreSQL 15 or newer at `url` (postgres://…). Several controls may share it: see `joinReplicas`. While `isSure` says no,
 * nothing is asked and everything fails as `unavailable`. Errors: unavailable when it cannot be reached, migrationFailed.
 */
export async function openPostgresStorage(url: string, isSure: () => boolean = () => true): Promise<Storage> {
  return storageOverPool(openPostgresPool(url, isSure));
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
    replicas: replicaRepository(database),
    nodes: nodeRepository(database),
    sessions: sessionRepository(database),
    connections: connectionRepository(database),
    streams: streamRepository(database),
    transports: transportRepository(database),
    signals: signalRepository(database),
    migrations: migrationRepository(database),
    moves: moveRepository(database),
    close: () => database.destroy(),
  };
}
