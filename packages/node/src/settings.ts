import { z } from 'zod';
import {
  SettingsError,
  logLevelSetting,
  portSetting,
  readSettings,
  type LogLevel,
  type SettingsTable,
  type SettingsText,
} from '@godwit/protocol';

export { SettingsError };

/** What a media node reads. */
export const nodeSettingsTable = {
  GODWIT_CONTROL_URL: {
    schema: z.url({
      protocol: /^(https?|wss?)$/,
      error: 'must be the URL of the control plane, e.g. http://127.0.0.1:4600',
    }),
    otherwise: 'none, needed',
    meaning: 'the control plane, e.g. `http://127.0.0.1:4600`',
  },
  GODWIT_JOIN_KEY: {
    schema: z
      .string({ error: 'must be the join key that control was started with' })
      .min(16, 'is too short to be a join key; take the one of control'),
    otherwise: 'none, needed',
    isSecret: true,
    meaning: 'control’s join key',
  },
  GODWIT_ANNOUNCED_ADDRESSES: {
    schema: z.string().default(''),
    otherwise: 'usable host addresses',
    meaning: 'addresses told to clients, separated by commas',
  },
  GODWIT_RTC_PORTS: {
    schema: z
      .string()
      .regex(/^\d{1,5}(-\d{1,5})?$/, 'must be a port or a range, e.g. 40000-40007')
      .optional(),
    otherwise: 'free ports',
    meaning:
      'UDP port or range for clients, e.g. `40000-40007`; one shared socket a port. `godwit up` divides it among its nodes',
  },
  GODWIT_LINK_ADDRESS: {
    schema: z.string().optional(),
    otherwise: 'the first announced address',
    meaning: 'where other nodes reach this one; `127.0.0.1` under `godwit up`',
  },
  GODWIT_LINK_PORT: {
    schema: portSetting.default(0),
    otherwise: 'free port',
    meaning: 'UDP port of the links',
  },
  GODWIT_NODE_HTTP_PORT: {
    schema: portSetting.default(0),
    otherwise: 'free port',
    meaning: 'operations listener: `/health`, `/metrics`, status',
  },
  GODWIT_NODE_HTTP_HOST: {
    schema: z.string().default('127.0.0.1'),
    meaning: 'address of the operations listener',
  },
  GODWIT_LOG_LEVEL: { schema: logLevelSetting.default('info'), meaning: 'as above' },
} as const satisfies SettingsTable;

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
  readonly logLevel: LogLevel;
}

/** Sockets of one range: each is a file descriptor and a kernel buffer of several MB. */
const RTC_PORTS_MAX = 256;

/** Reads the settings of a node. Throws a SettingsError that names the variable and what to do, never its value. */
export function parseNodeSettings(text: SettingsText): NodeSettings {
  const values = readSettings(nodeSettingsTable, text);
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
      `GODWIT_RTC_PORTS must be an ascending range of at most ${RTC_PORTS_MAX} ports between 1 and 65535, e.g. 40000-40007.`,
    );
  }
  return { first, last };
}
