import { createHmac } from 'node:crypto';
import {
  aloneAs,
  joinReplicas,
  openFolderStorage,
  openPostgresStorage,
  type Membership,
  type Storage,
} from '@godwit/storage';
import { newReplicaId } from '../ids.js';
import type { Secrets } from '../secrets.js';
import type { ControlSettings } from '../settings.js';

/** What a control hears of the others. */
export interface ReplicaListener {
  readonly onChange: () => void;
  readonly onLost: () => void;
}

/** The storage of this control, and its place among those that share it. Closing the storage is the caller's. */
export async function openDatabase(
  options: {
    readonly settings: Pick<ControlSettings, 'databaseUrl' | 'dataDir'>;
    readonly storage?: Storage;
    readonly clockMs?: () => number;
  },
  secrets: Secrets,
  listener: ReplicaListener,
): Promise<{ storage: Storage; membership: Membership }> {
  const { databaseUrl, dataDir } = options.settings;
  const startedAtMs = (options.clockMs ?? Date.now)();
  const replicaId = newReplicaId();
  if (options.storage !== undefined || databaseUrl === undefined) {
    const storage = options.storage ?? (await openFolderStorage(dataDir));
    return { storage, membership: aloneAs(replicaId, startedAtMs) };
  }
  let membership: Membership | null = null;
  const storage = await openPostgresStorage(databaseUrl, () => membership?.isSure() ?? true);
  try {
    const fingerprint = fingerprintOf(secrets);
    membership = await joinReplicas({ url: databaseUrl, replicaId, startedAtMs, fingerprint, ...listener });
    return { storage, membership };
  } catch (error) {
    await storage.close();
    throw error;
  }
}

/** Tells whether two controls have the same secrets, and nothing else: those that nodes, operators and rows depend on. */
function fingerprintOf({ storageKey, joinKey, adminToken }: Secrets): string {
  return createHmac('sha256', storageKey)
    .update(JSON.stringify([joinKey, adminToken]))
    .digest('base64url');
}
