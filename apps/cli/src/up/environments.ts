import { controlSettingsTable } from '@godwit/control';
import { nodeSettingsTable } from '@godwit/node';
import type { SettingsTable } from '@godwit/protocol';
import { CliError } from '../errors.js';
import type { Lan } from '../lan/lan.js';

type Environment = Readonly<NodeJS.ProcessEnv>;

/** What one of several nodes on a machine cannot have as it is written. */
const NOT_SHARED = ['GODWIT_NODE_HTTP_PORT', 'GODWIT_LINK_PORT'];

/** What the control child gets. Secrets travel here, never on a command line. */
export function controlEnvironment(
  env: Environment,
  secrets: { readonly joinKey: string },
  lan?: Lan,
): Environment {
  return {
    ...quiet(readBy(controlSettingsTable, env)),
    GODWIT_JOIN_KEY: secrets.joinKey,
    ...(lan === undefined
      ? {}
      : {
          GODWIT_HOST: '0.0.0.0',
          GODWIT_TLS_CERT_FILE: lan.certificate.certFile,
          GODWIT_TLS_KEY_FILE: lan.certificate.keyFile,
        }),
  };
}

export interface EmbeddedNode {
  /** From 1. */
  readonly number: number;
  readonly nodeCount: number;
  readonly controlUrl: string;
  readonly joinKey: string;
  readonly lan: Lan | undefined;
}

/** What a node child gets: free ports, links over loopback, and its share of GODWIT_RTC_PORTS. */
export function nodeEnvironment(env: Environment, node: EmbeddedNode): Environment {
  const inherited = { ...quiet(readBy(nodeSettingsTable, env)) };
  for (const name of NOT_SHARED) delete inherited[name];
  const range = env['GODWIT_RTC_PORTS'];
  return {
    ...inherited,
    GODWIT_CONTROL_URL: node.controlUrl,
    GODWIT_JOIN_KEY: node.joinKey,
    GODWIT_LINK_ADDRESS: '127.0.0.1',
    ...(range === undefined || range === ''
      ? {}
      : { GODWIT_RTC_PORTS: portShare(range, node.number, node.nodeCount) }),
    // The generated certificate has no issuer that Node knows: it is trusted by name, and only by our own children.
    ...(node.lan === undefined ? {} : { NODE_EXTRA_CA_CERTS: node.lan.certificate.certFile }),
  };
}

/** The part of "first-last" that belongs to one of several nodes; two nodes cannot share a socket. */
export function portShare(range: string, number: number, nodeCount: number): string {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(range);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  const share = Math.floor((last - first + 1) / nodeCount);
  if (!(share >= 1)) {
    throw new CliError(
      'configuration',
      `GODWIT_RTC_PORTS must be a range with at least one port for each of the ${nodeCount} nodes, e.g. 40000-40007.`,
    );
  }
  const start = first + (number - 1) * share;
  return `${start}-${start + share - 1}`;
}

/** Without the settings that a process does not read: control's secrets are not for nodes, and nothing is told twice. */
function readBy(table: SettingsTable, env: Environment): Environment {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^GODWIT_(?!TEST_|E2E_|DEBUG$)/.test(name) || name in table),
  );
}

/** Under one terminal only what needs attention is shown, unless somebody asks for more. */
function quiet(env: Environment): Environment {
  return { ...env, GODWIT_LOG_LEVEL: env['GODWIT_LOG_LEVEL'] ?? 'warn' };
}
