import { isIP } from 'node:net';
import { z } from 'zod';
import {
  SettingsError,
  flagSetting,
  logLevelSetting,
  portSetting,
  readSettings,
  wholeNumber,
  type LogLevel,
  type SettingsTable,
  type SettingsText,
} from '@godwit/protocol';
import type { TlsFiles } from './http/certificate-files.js';
import type { RateLimits } from './http/gate.js';
import { PROJECT_ID, PROJECT_ID_RULE } from './projects/project.js';

export { SettingsError };

const SECRET_RULE = 'must have at least 16 characters; leave it out to have one generated';
const secret = z.string().min(16, SECRET_RULE).optional();

/** More a second, or a minute, than one process answers. */
const RATE_MAX = 1_000_000;

/** What control reads. */
export const controlSettingsTable = {
  GODWIT_HOST: { schema: z.string().default('127.0.0.1'), meaning: 'address to listen on' },
  GODWIT_PORT: { schema: portSetting.default(4600), meaning: 'port; 0 takes a free one' },
  GODWIT_DATA_DIR: {
    schema: z.string().default('.godwit'),
    meaning: 'database, secrets, LAN certificate; one running control a folder',
  },
  GODWIT_API_KEY: {
    schema: z.string().regex(PROJECT_ID, PROJECT_ID_RULE).optional(),
    otherwise: 'generated',
    meaning: 'the first project; set it together with its secret, or neither',
  },
  GODWIT_API_SECRET: {
    schema: secret,
    otherwise: 'generated',
    isSecret: true,
    meaning: 'secret of the first project, at least 16 characters',
  },
  GODWIT_ADMIN_TOKEN: {
    schema: secret,
    otherwise: 'generated',
    isSecret: true,
    meaning: 'bearer of the admin API, at least 16 characters',
  },
  GODWIT_JOIN_KEY: {
    schema: secret,
    otherwise: 'generated',
    isSecret: true,
    meaning: 'with it a node may join; at least 16 characters',
  },
  GODWIT_DATABASE_URL: {
    schema: z
      .string()
      .regex(/^postgres(ql)?:\/\//, 'must begin with postgres://; leave it out to use the embedded database')
      .optional(),
    otherwise: 'none',
    isSecret: true,
    meaning:
      'PostgreSQL 15 or newer, `postgres://user:password@host/database`, which several controls may share; without it the ' +
      'embedded database in the data folder, for one control on one host',
  },
  GODWIT_REPLICA_URL: {
    schema: z.url({ protocol: /^https?$/, error: 'must be a URL, e.g. http://10.0.0.5:4600' }).optional(),
    otherwise: 'where it listens',
    meaning:
      'where the other controls of its database, and the nodes, reach this one ([guide](../guides/postgresql.md#several-controls))',
  },
  GODWIT_STORAGE_KEY: {
    schema: secret,
    otherwise: 'generated',
    isSecret: true,
    meaning:
      'seals the secrets of projects in the database, at least 16 characters; the same for every control that shares one',
  },
  GODWIT_CALLBACKS_TO_PRIVATE: {
    schema: flagSetting.default(true),
    meaning: 'callbacks may go to loopback and private addresses; `off` where strangers register receivers',
  },
  GODWIT_PROJECT_REQUESTS_PER_SECOND: {
    schema: wholeNumber(
      0,
      RATE_MAX,
      `must be a whole number up to ${RATE_MAX}; 0 switches the limit off`,
    ).default(500),
    meaning:
      'REST requests of one project, counted over 10 s by each control for itself; what is more gets 429 (70025) and `Retry-After`. 0: any number',
  },
  GODWIT_AUTH_FAILURES_PER_MINUTE: {
    schema: wholeNumber(
      0,
      RATE_MAX,
      `must be a whole number up to ${RATE_MAX}; 0 switches the limit off`,
    ).default(300),
    meaning:
      'failed authentications from one address for one project, or at the admin API; then nothing from there is looked at for the ' +
      'rest of the minute, and the answer is 429. 0: any number',
  },
  GODWIT_MIGRATION_MIN_AGE_SECONDS: {
    schema: z.coerce
      .number({ error: 'must be a number of seconds; 0 switches the limit off' })
      .min(0, 'must not be negative; 0 switches the limit off')
      .max(86_400, 'must be at most 86400')
      .default(60),
    meaning: 'error 15215 before a session, or its last migration, is this old; 0 switches it off',
  },
  GODWIT_DEMO: { schema: flagSetting.default(true), meaning: 'the demo page’s endpoints' },
  GODWIT_LOG_LEVEL: {
    schema: logLevelSetting.default('info'),
    meaning:
      '`trace`, `debug`, `info`, `warn`, `error`, `silent` ([what each is](logs.md)); under `godwit up` the default is `warn`',
  },
  GODWIT_TRUSTED_PROXIES: {
    schema: z
      .string()
      .transform((text) => text.split(',').map((entry) => entry.trim()))
      .refine((entries) => entries.every(isNetwork), {
        error: 'must be addresses or networks separated by commas, e.g. 10.0.0.7,fd00::/8',
      })
      .default([]),
    otherwise: 'none',
    meaning:
      'addresses and networks, separated by commas (`loopback` is one), whose `X-Forwarded-For`, `-Proto` and `-Host` are believed ([guide](../guides/behind-a-proxy.md))',
  },
  GODWIT_TLS_CERT_FILE: {
    schema: z.string().optional(),
    otherwise: 'none',
    meaning:
      'PEM file of the certificate and its chain; with it control speaks HTTPS. When it is renewed, new connections have the new one within a minute',
  },
  GODWIT_TLS_KEY_FILE: {
    schema: z.string().optional(),
    otherwise: 'none',
    meaning: 'PEM file of its private key; set it together with the certificate, or neither',
  },
} as const satisfies SettingsTable;

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
  readonly rateLimits: RateLimits;
  /** Addresses and networks whose X-Forwarded headers are believed. */
  readonly trustedProxies: readonly string[];
  readonly logLevel: LogLevel;
  /** PEM files; absent: control speaks HTTP. */
  readonly tlsFiles?: TlsFiles;
}

/** Reads the settings of control. Throws a SettingsError that names the variable and the remedy, never its value. */
export function parseSettings(text: SettingsText): ControlSettings {
  const values = readSettings(controlSettingsTable, text);
  const tlsFiles = together(values, 'GODWIT_TLS_CERT_FILE', 'GODWIT_TLS_KEY_FILE');
  const project = together(values, 'GODWIT_API_KEY', 'GODWIT_API_SECRET');
  return {
    host: values.GODWIT_HOST,
    port: values.GODWIT_PORT,
    dataDir: values.GODWIT_DATA_DIR,
    ...(project === null ? {} : { apiKey: project[0], apiSecret: project[1] }),
    ...(values.GODWIT_ADMIN_TOKEN === undefined ? {} : { adminToken: values.GODWIT_ADMIN_TOKEN }),
    ...(values.GODWIT_JOIN_KEY === undefined ? {} : { joinKey: values.GODWIT_JOIN_KEY }),
    ...(values.GODWIT_STORAGE_KEY === undefined ? {} : { storageKey: values.GODWIT_STORAGE_KEY }),
    ...(values.GODWIT_DATABASE_URL === undefined ? {} : { databaseUrl: values.GODWIT_DATABASE_URL }),
    ...(values.GODWIT_REPLICA_URL === undefined ? {} : { replicaUrl: values.GODWIT_REPLICA_URL }),
    migrationMinAgeMs: values.GODWIT_MIGRATION_MIN_AGE_SECONDS * 1_000,
    callbacksToPrivate: values.GODWIT_CALLBACKS_TO_PRIVATE,
    demo: values.GODWIT_DEMO,
    rateLimits: {
      projectPerSecond: values.GODWIT_PROJECT_REQUESTS_PER_SECOND,
      failuresPerMinute: values.GODWIT_AUTH_FAILURES_PER_MINUTE,
    },
    trustedProxies: values.GODWIT_TRUSTED_PROXIES,
    logLevel: values.GODWIT_LOG_LEVEL,
    ...(tlsFiles === null ? {} : { tlsFiles: { cert: tlsFiles[0], key: tlsFiles[1] } }),
  };
}

/** An address, a network, or one of the names that Fastify knows. */
function isNetwork(entry: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(entry)) return true;
  const [address = '', bits, ...rest] = entry.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

/** Both values, or null when neither is set. */
function together<Name extends string>(
  values: NoInfer<Readonly<Record<Name, string | undefined>>>,
  first: Name,
  second: Name,
): readonly [string, string] | null {
  const [one, other] = [values[first], values[second]];
  if (one !== undefined && other !== undefined) return [one, other];
  if (one === undefined && other === undefined) return null;
  throw new SettingsError(`${first} and ${second} belong together: set both, or neither.`);
}
