import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { PROJECT_ID, PROJECT_ID_RULE } from './projects/project.js';

/** A setting that cannot be used; the message names it and the remedy in one line. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

const flag = z
  .enum(['0', '1', 'true', 'false', 'on', 'off'], { error: 'must be on or off' })
  .transform((value) => value === '1' || value === 'true' || value === 'on');

const schema = z.object({
  GODWIT_HOST: z.string().min(1).default('127.0.0.1'),
  GODWIT_PORT: z.coerce
    .number({ error: 'must be a port number, e.g. 4600' })
    .int('must be a port number, e.g. 4600')
    .min(0, 'must be a port number, e.g. 4600')
    .max(65_535, 'must be a port number, e.g. 4600')
    .default(4600),
  GODWIT_DATA_DIR: z.string().min(1).default('.godwit'),
  GODWIT_API_KEY: z.string().regex(PROJECT_ID, PROJECT_ID_RULE).optional(),
  GODWIT_API_SECRET: z
    .string()
    .min(16, 'must have at least 16 characters; leave it out to have one generated')
    .optional(),
  GODWIT_ADMIN_TOKEN: z
    .string()
    .min(16, 'must have at least 16 characters; leave it out to have one generated')
    .optional(),
  GODWIT_JOIN_KEY: z
    .string()
    .min(16, 'must have at least 16 characters; leave it out to have one generated')
    .optional(),
  GODWIT_STORAGE_KEY: z
    .string()
    .min(16, 'must have at least 16 characters; leave it out to have one generated')
    .optional(),
  GODWIT_DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must begin with postgres://; leave it out to use the embedded database')
    .optional(),
  GODWIT_REPLICA_URL: z
    .url({ protocol: /^https?$/, error: 'must be a URL, e.g. http://10.0.0.5:4600' })
    .optional(),
  GODWIT_MIGRATION_MIN_AGE_SECONDS: z.coerce
    .number({ error: 'must be a number of seconds; 0 switches the limit off' })
    .min(0, 'must not be negative; 0 switches the limit off')
    .max(86_400, 'must be at most 86400')
    .default(60),
  GODWIT_CALLBACKS_TO_PRIVATE: flag.default(true),
  GODWIT_DEMO: flag.default(true),
  GODWIT_LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'], {
      error: 'must be debug, info, warn, error or silent',
    })
    .default('info'),
});

/** Settings of the control plane (docs/reference/settings.md). Secrets that are not set are generated and kept in the data folder. */
export interface ControlSettings {
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  readonly apiKey?: string;
  readonly apiSecret?: string;
  readonly adminToken?: string;
  readonly joinKey?: string;
  /** Seals the secrets of projects in the database; the same for all controls that share one. */
  readonly storageKey?: string;
  /** PostgreSQL; absent: the embedded database in the data folder. May hold a password. */
  readonly databaseUrl?: string;
  /** Where the other controls of the database and the nodes reach this one; absent: where it listens. */
  readonly replicaUrl?: string;
  /** 0 switches error 15215 off. */
  readonly migrationMinAgeMs: number;
  /** Receivers of callbacks may have private addresses and loopback. */
  readonly callbacksToPrivate: boolean;
  readonly demo: boolean;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

/**
 * Reads the environment over a file of the same names (`NAME=value` lines). Throws a SettingsError that names the
 * variable and the remedy, never its value.
 */
export function parseSettings(
  env: Readonly<Record<string, string | undefined>>,
  file?: string,
): ControlSettings {
  const merged = { ...(file === undefined ? {} : readSettingsFile(file)), ...env };
  const present = Object.fromEntries(
    Object.entries(merged).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = schema.safeParse(present);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new SettingsError(`${String(issue?.path[0] ?? 'Settings')} ${issue?.message ?? 'cannot be used'}.`);
  }
  const values = parsed.data;
  if ((values.GODWIT_API_KEY === undefined) !== (values.GODWIT_API_SECRET === undefined)) {
    throw new SettingsError('GODWIT_API_KEY and GODWIT_API_SECRET belong together: set both, or neither.');
  }
  return {
    host: values.GODWIT_HOST,
    port: values.GODWIT_PORT,
    dataDir: values.GODWIT_DATA_DIR,
    ...(values.GODWIT_API_KEY === undefined ? {} : { apiKey: values.GODWIT_API_KEY }),
    ...(values.GODWIT_API_SECRET === undefined ? {} : { apiSecret: values.GODWIT_API_SECRET }),
    ...(values.GODWIT_ADMIN_TOKEN === undefined ? {} : { adminToken: values.GODWIT_ADMIN_TOKEN }),
    ...(values.GODWIT_JOIN_KEY === undefined ? {} : { joinKey: values.GODWIT_JOIN_KEY }),
    ...(values.GODWIT_STORAGE_KEY === undefined ? {} : { storageKey: values.GODWIT_STORAGE_KEY }),
    ...(values.GODWIT_DATABASE_URL === undefined ? {} : { databaseUrl: values.GODWIT_DATABASE_URL }),
    ...(values.GODWIT_REPLICA_URL === undefined ? {} : { replicaUrl: values.GODWIT_REPLICA_URL }),
    migrationMinAgeMs: values.GODWIT_MIGRATION_MIN_AGE_SECONDS * 1_000,
    callbacksToPrivate: values.GODWIT_CALLBACKS_TO_PRIVATE,
    demo: values.GODWIT_DEMO,
    logLevel: values.GODWIT_LOG_LEVEL,
  };
}

function readSettingsFile(path: string): Record<string, string> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    throw new SettingsError(`The settings file ${path} cannot be read. Check its path and permissions.`);
  }
  const values: Record<string, string> = {};
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const match = /^(GODWIT_[A-Z_]+)=(.*)$/.exec(line.trim());
    if (match?.[1] === undefined)
      throw new SettingsError(`Line ${index + 1} of ${path} must be NAME=value or a # comment.`);
    values[match[1]] = match[2] ?? '';
  }
  return values;
}
