import { lookup as dnsLookup, type LookupOptions } from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { CALLBACK_TIMEOUT_MS } from '../limits.js';

export interface Posting {
  readonly url: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  /** False: only addresses of the public internet are connected to. */
  readonly allowsPrivate: boolean;
  /** Ends it before its time. */
  readonly signal: AbortSignal;
}

/** Sends one callback and answers the status. Rejects when no answer came; the message names no part of the URL. */
export function post({ url, body, headers, allowsPrivate, signal: ended }: Posting): Promise<number> {
  const target = new URL(url);
  const { request } = target.protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    // The whole exchange: a receiver that trickles its answer holds up its own project only, and not for long.
    const signal = AbortSignal.any([ended, AbortSignal.timeout(CALLBACK_TIMEOUT_MS)]);
    const fail = (error: NodeJS.ErrnoException): void => {
      reject(new Error(signal.aborted ? 'the receiver did not answer in time' : (error.code ?? 'no answer')));
    };
    const literal = target.hostname.replace(/^\[|\]$/g, '');
    if (!allowsPrivate && isIP(literal) !== 0 && isPrivate(literal)) return fail(forbidden());
    const sent = request(target, {
      method: 'POST',
      signal,
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      // Nothing is kept open towards receivers that may be gone tomorrow.
      agent: false,
      ...(allowsPrivate ? {} : { lookup: publicOnly }),
    });
    sent.on('error', fail);
    // An answer that is none, such as another protocol, ends in nothing else.
    sent.on('close', () => reject(new Error('no answer')));
    sent.on('response', (response) => {
      // What it says is of no concern, and may be long.
      response.destroy();
      resolve(response.statusCode ?? 0);
    });
    sent.end(body);
  });
}

/** RFC 6890: what is not of the public internet. */
const PRIVATE = new BlockList();
for (const [address, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const)
  PRIVATE.addSubnet(address, prefix, 'ipv4');
for (const [address, prefix] of [
  ['::', 128],
  ['::1', 128],
  ['64:ff9b::', 96],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  PRIVATE.addSubnet(address, prefix, 'ipv6');

function isPrivate(address: string): boolean {
  // BlockList judges IPv4 addresses that are written as IPv6 by its IPv4 rules.
  return PRIVATE.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

const forbidden = (): NodeJS.ErrnoException =>
  Object.assign(new Error('private address'), { code: 'private address' });

/** Judged where the connection is made: a name may resolve to another address than when it was registered. */
const publicOnly: LookupFunction = (hostname, options: LookupOptions, callback) => {
  dnsLookup(hostname, { ...options, all: true }, (error, found) => {
    if (error !== null) return callback(error, '');
    const allowed = found.filter(({ address }) => !isPrivate(address));
    const [first] = allowed;
    if (first === undefined) return callback(forbidden(), '');
    if (options.all === true) callback(null, allowed);
    else callback(null, first.address, first.family);
  });
};
