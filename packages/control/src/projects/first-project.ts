import { createHash, randomUUID } from 'node:crypto';
import type { AuditEntry, Storage } from '@godwit/storage';
import { SettingsError } from '../settings.js';
import type { SecretBox } from './secret-box.js';

/** Which secret of the settings was taken up last, as a hash: one that was revoked since does not come back. */
const LAST_SECRET = 'first-project-secret';

export interface FirstProject {
  readonly apiKey: string;
  readonly apiSecret: string;
}

/**
 * Makes the project of the settings, so that there is one to begin with. A secret that is new in the settings becomes
 * valid beside the one so far: the old one is revoked when no caller uses it any more. Errors: SettingsError.
 */
export async function ensureFirstProject(
  { projects, meta }: Pick<Storage, 'projects' | 'meta'>,
  box: SecretBox,
  { apiKey, apiSecret }: FirstProject,
  nowMs: number,
): Promise<void> {
  await projects.ensure({ apiKey, name: 'default', createdAtMs: nowMs, signatureSecret: null });
  const hash = createHash('sha256').update(`${apiKey}:${apiSecret}`).digest('hex');
  const key = `${LAST_SECRET}/${apiKey}`;
  const isKnown = (await meta.get(key)) === hash;
  await checkStorageKey(projects, box, apiKey);
  if (isKnown) return;
  // Several controls may start at once.
  const added = await projects.addCredentialOnce(
    apiKey,
    {
      credentialId: randomUUID(),
      kind: 'secret',
      material: box.seal(apiSecret, apiKey),
      createdAtMs: nowMs,
    },
    auditOf(apiKey, nowMs),
    { key, value: hash },
  );
  if (added === 'full') {
    throw new SettingsError(
      'GODWIT_API_SECRET is new, and its project has two valid secrets already: revoke one of them first (DELETE /admin/v1/projects/{id}/secrets/{id}).',
    );
  }
}

/** A key that does not fit would refuse every token, and say nothing about why. */
async function checkStorageKey(projects: Storage['projects'], box: SecretBox, apiKey: string): Promise<void> {
  const sealed = (await projects.get(apiKey))?.credentials.filter(({ kind }) => kind === 'secret') ?? [];
  if (sealed.every(({ material }) => box.open(material, apiKey) !== null)) return;
  throw new SettingsError(
    'GODWIT_STORAGE_KEY is not the one with which the secrets in this database were sealed: set it to that one.',
  );
}

function auditOf(subject: string, atMs: number): AuditEntry {
  return { atMs, actor: 'settings', action: 'project.secret.added', subject, detail: {} };
}
