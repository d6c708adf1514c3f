import { CliError } from '../errors.js';
import type { Lan } from '../lan/lan.js';
import { EMBEDDED_NODES_MAX } from '../limits.js';

type Environment = Readonly<NodeJS.ProcessEnv>;

/** Settings that only control may know: a media node has no use for them. */
const CONTROL_SECRETS = [
  'GODWIT_API_KEY',
  'GODWIT_API_SECRET',
  'GODWIT_ADMIN_TOKEN',
  'GODWIT_STORAGE_KEY',
  // It may hold a password.
  'GODWIT_DATABASE_URL',
] as const;
const DEFAULT_NODES = 2;

/** GODWIT_NODES; throws a CliError when it is no usable number. */
export function nodeCountOf(env: Environment): number {
  const text = env['GODWIT_NODES'];
  if (text === undefined || text === '') return DEFAULT_NODES;
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= EMBEDDED_NODES_MAX) return count;
  throw new CliError('configuration', `GODWIT_NODES must be a whole number from 1 to ${EMBEDDED_NODES_MAX}.`);
}

/** What the control child gets. Secrets travel here, never on a command line. */
export function controlEnvironment(
  env: Environment,
  secrets: { readonly joinKey: string },
  lan?: Lan,
): Environment {
  return {
    ...quiet(env),
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
  const inherited = { ...quiet(env) };
  for (const name of [...CONTROL_SECRETS, 'GODWIT_NODE_HTTP_PORT', 'GODWIT_LINK_PORT'])
    delete inherited[name];
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

/** Under one terminal only what needs attention is shown, unless somebody asks for more. */
function quiet(env: Environment): Environment {
  return { ...env, GODWIT_LOG_LEVEL: env['GODWIT_LOG_LEVEL'] ?? 'warn' };
}
