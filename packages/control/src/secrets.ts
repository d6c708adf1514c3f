import { randomBytes, randomInt } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { SettingsError, type ControlSettings } from './settings.js';

const secretsFile = z.object({
  apiKey: z.string(),
  apiSecret: z.string(),
  adminToken: z.string(),
  joinKey: z.string(),
  storageKey: z.string(),
});
/** The secrets of one installation. Never logged, never sent to a page. */
export type Secrets = z.infer<typeof secretsFile>;

/** Files of earlier versions have no storage key. */
const keptFile = secretsFile.partial({ storageKey: true });

const SECRETS_FILE_NAME = 'secrets.json';

/** Where the secrets are kept, for the operator to read. */
export function secretsPath(dataDir: string): string {
  return join(dataDir, SECRETS_FILE_NAME);
}

/** The secrets of this installation: what is set wins; the rest is generated once and kept with mode 0600. */
export async function loadSecrets(settings: ControlSettings): Promise<Secrets> {
  const path = secretsPath(settings.dataDir);
  const kept = await complete(path, await readSecrets(path));
  return {
    apiKey: settings.apiKey ?? kept.apiKey,
    apiSecret: settings.apiSecret ?? kept.apiSecret,
    adminToken: settings.adminToken ?? kept.adminToken,
    joinKey: settings.joinKey ?? kept.joinKey,
    storageKey: settings.storageKey ?? kept.storageKey,
  };
}

async function readSecrets(path: string): Promise<z.infer<typeof keptFile> | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new SettingsError(`The secrets file ${path} cannot be read. Give this user permission to read it.`);
  }
  try {
    return keptFile.parse(JSON.parse(text));
  } catch {
    throw new SettingsError(
      `The secrets file ${path} is damaged. Restore it, or remove it to have new secrets generated.`,
    );
  }
}

/** Generates what is missing and keeps it. */
async function complete(path: string, kept: z.infer<typeof keptFile> | null): Promise<Secrets> {
  const parsed = secretsFile.safeParse(kept);
  if (parsed.success) return parsed.data;
  const secret = (): string => randomBytes(32).toString('base64url');
  const secrets: Secrets = {
    apiKey: String(randomInt(10_000_000, 99_999_999)),
    apiSecret: secret(),
    adminToken: secret(),
    joinKey: secret(),
    storageKey: secret(),
    ...kept,
  };
  await mkdir(join(path, '..'), { recursive: true, mode: 0o700 });
  // Written beside and renamed: a crash leaves no half file.
  await writeFile(`${path}.new`, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
  return secrets;
}
