import { createHash } from 'node:crypto';
import type { RemoteAddress, SrtpKeys } from '@godwit/datapath';

/** One publisher to ten subscribers, 1200-byte packets, in bursts as a video encoder makes them. */
export const SUBSCRIBERS = 10;
export const PACKET_BYTES = 1_200;
export const PACKETS_PER_SECOND = 600;
export const BURST_PACKETS = 8;
export const WARM_UP_MS = 3_000;
export const MEASURE_MS = 3_000;
export const ROUNDS = 5;
/** The datapath may cost this many times the plain loop. */
export const RATIO_MAX = 1.3;

export const PUBLISHER_SSRC = 0x1000;
export const PUBLISHER_PAYLOAD_TYPE = 96;
export const SUBSCRIBER_PAYLOAD_TYPE = 100;
export const TRANSPORT_CC_ID = 5;
export const ABS_SEND_TIME_ID = 3;
export const subscriberSsrc = (at: number): number => 0x2000 + at;

/** Where everybody listens: told to the forwarder by the load generator. */
export interface Addresses {
  readonly publisher: RemoteAddress;
  readonly subscribers: readonly RemoteAddress[];
}

export type ForwarderMessage =
  | { readonly kind: 'ready'; readonly port: number }
  | { readonly kind: 'measured'; readonly cpuMicros: number; readonly forwarded: number };
export type ForwarderCommand =
  | { readonly kind: 'configure'; readonly addresses: Addresses }
  | { readonly kind: 'start' }
  | { readonly kind: 'stop' };

/** Keys that both sides can compute; `local` is the forwarder's side. They protect nothing but zeros. */
export function benchKeys(name: string): SrtpKeys {
  const bytes = (label: string, length: number) =>
    createHash('sha256').update(`${name} ${label}`).digest().subarray(0, length);
  return {
    profile: 'AEAD_AES_128_GCM',
    localKey: bytes('local key', 16),
    localSalt: bytes('local salt', 12),
    remoteKey: bytes('remote key', 16),
    remoteSalt: bytes('remote salt', 12),
  };
}

/** The same keys seen by the client. */
export function clientKeys(keys: SrtpKeys): SrtpKeys {
  const { profile, localKey, localSalt, remoteKey, remoteSalt } = keys;
  return { profile, localKey: remoteKey, localSalt: remoteSalt, remoteKey: localKey, remoteSalt: localSalt };
}
