import { z } from 'zod';

/** Settings of a media node (docs/reference/settings.md). Only the control URL and the join key have no default. */
export interface NodeSettings {
  /** http(s):// or ws(s):// URL of the control plane. */
  readonly controlUrl: string;
  /** Secret with which a node proves that it may join. */
  readonly joinKey: string;
  readonly announcedAddresses: readonly string[];
  readonly rtcPorts: { readonly first: number; readonly last: number } | null;
  /** Where other nodes reach our links; default: the first announced address that is ours. */
  readonly linkAddress: string | null;
  readonly linkPort: number;
  /** Operations listener; 0: a free port. */
  readonly httpPort: number;
  readonly httpHost: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

/** A setting that cannot be used: one line with the remedy. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

const port = z.coerce.number().int().min(0).max(65_535);
/** Sockets of one range: each is a file descriptor and a kernel buffer of several MB. */
const RTC_PORTS_MAX = 256;

const schema = z.object({
  GODWIT_CONTROL_URL: z.url({
    protocol: /^(https?|wss?)$/,
    error: 'must be the URL of the control plane, e.g. http://127.0.0.1:4600',
  }),
  GODWIT_JOIN_KEY: z
    .string({ error: 'must be the join key that control was started with' })
    .min(16, 'is too short to be a join key'),
  GODWIT_ANNOUNCED_ADDRESSES: z.string().default(''),
  GODWIT_RTC_PORTS: z
    .string()
    .regex(/^\d{1,5}(-\d{1,5})?$/, 'must be a port or a range, e.g. 40000-40007')
    .optional(),
  GODWIT_LINK_ADDRESS: z.string().optional(),
  GODWIT_LINK_PORT: port.default(0),
  GODWIT_NODE_HTTP_PORT: port.default(0),
  GODWIT_NODE_HTTP_HOST: z.string().default('127.0.0.1'),
  GODWIT_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

/** Reads the environment. Throws a SettingsError that names the variable and what to do. */
export function parseNodeSettings(env: Readonly<Record<string, string | undefined>>): NodeSettings {
  const present = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = schema.safeParse(present);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new SettingsError(`${String(issue?.path[0] ?? 'settings')} ${issue?.message ?? 'cannot be used'}`);
  }
  const values = parsed.data;
  return {
    controlUrl: values.GODWIT_CONTROL_URL,
    joinKey: values.GODWIT_JOIN_KEY,
    announcedAddresses: values.GODWIT_ANNOUNCED_ADDRESSES.split(',')
      .map((address) => address.trim())
      .filter((address) => address !== ''),
    rtcPorts: parsePorts(values.GODWIT_RTC_PORTS),
    linkAddress: values.GODWIT_LINK_ADDRESS ?? null,
    linkPort: values.GODWIT_LINK_PORT,
    httpPort: values.GODWIT_NODE_HTTP_PORT,
    httpHost: values.GODWIT_NODE_HTTP_HOST,
    logLevel: values.GODWIT_LOG_LEVEL,
  };
}

function parsePorts(range: string | undefined): NodeSettings['rtcPorts'] {
  if (range === undefined) return null;
  const [first = 0, last = first] = range.split('-').map(Number);
  if (first < 1 || last < first || last > 65_535 || last - first + 1 > RTC_PORTS_MAX) {
    throw new SettingsError(
      `GODWIT_RTC_PORTS must be an ascending range of at most ${RTC_PORTS_MAX} ports between 1 and 65535, e.g. 40000-40007`,
    );
  }
  return { first, last };
}
