import type { Kysely, Selectable, Transaction } from 'kysely';
import { LIST_ROWS_MAX, PROJECT_CREDENTIALS_MAX } from '../limits.js';
import type { AuditEntry, ProjectCredential, ProjectDetails, ProjectRecord } from '../records.js';
import type { Schema } from '../schema.js';
import { writeAudit } from './audit.js';
import { metaRepository } from './meta.js';

/** What became of a new credential; `full`: as many of its kind are valid as may be. */
export type CredentialAdded = 'added' | 'full' | 'no-project';
/** What became of taking one away; `last`: the project would have nothing left to sign with. */
export type CredentialRevoked = 'revoked' | 'last' | 'unknown';

/** What of a project may be changed; null takes the signature secret away. */
export interface ProjectChanges {
  readonly name?: string;
  readonly signatureSecret?: string | null;
}

/** Projects; every change is written together with its line of the audit. */
export interface ProjectRepository {
  /** Adds the project unless its key exists. */
  ensure(project: ProjectRecord): Promise<void>;
  /** The project with what it signs with: both or none. False when the key is taken. */
  create(
    project: ProjectRecord,
    credential: ProjectCredential,
    audit: readonly AuditEntry[],
  ): Promise<boolean>;
  /** Null when there is no such project. */
  get(apiKey: string): Promise<ProjectDetails | null>;
  /** By key, at most LIST_ROWS_MAX. */
  list(): Promise<ProjectRecord[]>;
  /** False when there is no such project. */
  update(apiKey: string, changes: ProjectChanges, audit: AuditEntry): Promise<boolean>;
  /** At most PROJECT_CREDENTIALS_MAX of a kind are valid at once. */
  addCredential(apiKey: string, credential: ProjectCredential, audit: AuditEntry): Promise<CredentialAdded>;
  /** The same, unless the fact about the installation says already that it was done; both are written or none. */
  addCredentialOnce(
    apiKey: string,
    credential: ProjectCredential,
    audit: AuditEntry,
    fact: { readonly key: string; readonly value: string },
  ): Promise<CredentialAdded>;
  revokeCredential(apiKey: string, credentialId: string, audit: AuditEntry): Promise<CredentialRevoked>;
}

export function projectRepository(database: Kysely<Schema>): ProjectRepository {
  const locked = <T>(
    apiKey: string,
    absent: T,
    change: (transaction: Transaction<Schema>) => Promise<T>,
  ): Promise<T> =>
    database
      .transaction()
      .execute(async (transaction) =>
        (await lockProject(transaction, apiKey)) ? change(transaction) : absent,
      );
  return {
    async ensure(project) {
      await insert(database, project);
    },
    create: (project, credential, audit) =>
      database.transaction().execute(async (transaction) => {
        if (!(await insert(transaction, project))) return false;
        await insertCredential(transaction, project.apiKey, credential);
        for (const entry of audit) await writeAudit(transaction, entry);
        return true;
      }),
    async get(apiKey) {
      const query = database.selectFrom('projects').selectAll().where('api_key', '=', apiKey);
      const row = await query.executeTakeFirst();
      return row === undefined
        ? null
        : { ...toRecord(row), credentials: await validCredentials(database, apiKey) };
    },
    async list() {
      const query = database.selectFrom('projects').selectAll().orderBy('api_key').limit(LIST_ROWS_MAX);
      return (await query.execute()).map(toRecord);
    },
    update: (apiKey, changes, audit) =>
      locked(apiKey, false, (transaction) => update(transaction, apiKey, changes, audit)),
    addCredential: (apiKey, credential, audit) =>
      locked<CredentialAdded>(apiKey, 'no-project', (transaction) =>
        addCredential(transaction, apiKey, credential, audit),
      ),
    addCredentialOnce: (apiKey, credential, audit, { key, value }) =>
      locked<CredentialAdded>(apiKey, 'no-project', async (transaction) => {
        const meta = metaRepository(transaction);
        if ((await meta.get(key)) === value) return 'added';
        const added = await addCredential(transaction, apiKey, credential, audit);
        if (added === 'added') await meta.set(key, value);
        return added;
      }),
    revokeCredential: (apiKey, credentialId, audit) =>
      locked<CredentialRevoked>(apiKey, 'unknown', (transaction) =>
        revokeCredential(transaction, apiKey, credentialId, audit),
      ),
  };
}

async function insert(database: Kysely<Schema>, project: ProjectRecord): Promise<boolean> {
  const { apiKey, name, createdAtMs, signatureSecret } = project;
  const result = await database
    .insertInto('projects')
    .values({ api_key: apiKey, name, created_at_ms: createdAtMs, signature_secret: signatureSecret })
    .onConflict((conflict) => conflict.column('api_key').doNothing())
    .executeTakeFirst();
  return result.numInsertedOrUpdatedRows === 1n;
}

/** Changes of one project happen one after the other. False when there is no such project. */
export async function lockProject(transaction: Transaction<Schema>, apiKey: string): Promise<boolean> {
  const query = transaction.selectFrom('projects').select('api_key').where('api_key', '=', apiKey);
  return (await query.forUpdate().executeTakeFirst()) !== undefined;
}

async function update(
  transaction: Transaction<Schema>,
  apiKey: string,
  { name, signatureSecret }: ProjectChanges,
  audit: AuditEntry,
): Promise<boolean> {
  const set = {
    ...(name === undefined ? {} : { name }),
    ...(signatureSecret === undefined ? {} : { signature_secret: signatureSecret }),
  };
  if (Object.keys(set).length > 0)
    await transaction.updateTable('projects').set(set).where('api_key', '=', apiKey).execute();
  await writeAudit(transaction, audit);
  return true;
}

async function validCredentials(database: Kysely<Schema>, apiKey: string): Promise<ProjectCredential[]> {
  const rows = await database
    .selectFrom('project_credentials')
    .selectAll()
    .where('api_key', '=', apiKey)
    .where('revoked_at_ms', 'is', null)
    .orderBy('created_at_ms')
    .orderBy('credential_id')
    .execute();
  return rows.map((row) => ({
    credentialId: row.credential_id,
    kind: row.kind,
    material: row.material,
    createdAtMs: Number(row.created_at_ms),
  }));
}

async function addCredential(
  transaction: Transaction<Schema>,
  apiKey: string,
  credential: ProjectCredential,
  audit: AuditEntry,
): Promise<CredentialAdded> {
  const valid = await validCredentials(transaction, apiKey);
  if (valid.filter(({ kind }) => kind === credential.kind).length >= PROJECT_CREDENTIALS_MAX) return 'full';
  await insertCredential(transaction, apiKey, credential);
  await writeAudit(transaction, audit);
  return 'added';
}

async function insertCredential(
  transaction: Transaction<Schema>,
  apiKey: string,
  { credentialId, kind, material, createdAtMs }: ProjectCredential,
): Promise<void> {
  await transaction
    .insertInto('project_credentials')
    .values({
      credential_id: credentialId,
      api_key: apiKey,
      kind,
      material,
      created_at_ms: createdAtMs,
      revoked_at_ms: null,
    })
    .execute();
}

async function revokeCredential(
  transaction: Transaction<Schema>,
  apiKey: string,
  credentialId: string,
  audit: AuditEntry,
): Promise<CredentialRevoked> {
  const valid = await validCredentials(transaction, apiKey);
  if (!valid.some((credential) => credential.credentialId === credentialId)) return 'unknown';
  if (valid.length === 1) return 'last';
  await transaction
    .updateTable('project_credentials')
    .set({ revoked_at_ms: audit.atMs })
    .where('credential_id', '=', credentialId)
    .execute();
  await writeAudit(transaction, audit);
  return 'revoked';
}

function toRecord(row: Selectable<Schema['projects']>): ProjectRecord {
  return {
    apiKey: row.api_key,
    name: row.name,
    createdAtMs: Number(row.created_at_ms),
    signatureSecret: row.signature_secret,
  };
}
