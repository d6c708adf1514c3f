import { createHash } from 'node:crypto';
import type { CapturedDatagram } from './pcap.js';

/** Every SRTP and SRTCP packet that servers sent, told apart by key, SSRC and index. */
export interface NonceAudit {
  readonly packets: number;
  readonly streams: number;
  /** The same packet seen again, byte for byte: two paths at once. Harmless. */
  readonly identicalRepeats: number;
  /** One (key, SSRC, index) with two different ciphertexts: a nonce was used twice. */
  readonly violations: readonly string[];
}

/**
 * Audits captured ciphertext. The key of a packet is named by its receiver: `clientOf` gives the client (one
 * transport, one key for its whole life) that owns the address, or null for traffic that is none of ours. SRTP carries
 * 16 bits of its index, so the rollover is counted per SSRC as a receiver does (RFC 3711 3.3.1); SRTCP carries all 31.
 */
export function auditNonces(
  datagrams: Iterable<CapturedDatagram>,
  clientOf: (address: string, port: number) => string | null,
  srtcpTagBytes = 0,
): NonceAudit {
  const seen = new Map<string, string>();
  const highest = new Map<string, number>();
  const violations: string[] = [];
  let packets = 0;
  let identicalRepeats = 0;
  for (const { destination, destinationPort, payload } of datagrams) {
    const client = clientOf(destination, destinationPort);
    if (client === null || !isRtpOrRtcp(payload)) continue;
    packets += 1;
    const space = spaceOf(client, payload);
    const index =
      space.kind === 'srtcp' ? srtcpIndex(payload, srtcpTagBytes) : extend(highest, space.name, payload);
    const name = `${space.name} index ${index}`;
    const digest = createHash('sha256').update(payload).digest('base64');
    const before = seen.get(name);
    if (before === undefined) seen.set(name, digest);
    else if (before === digest) identicalRepeats += 1;
    else violations.push(name);
  }
  return { packets, streams: highest.size, identicalRepeats, violations };
}

function isRtpOrRtcp(payload: Buffer): boolean {
  return payload.length >= 12 && (payload[0] ?? 0) >= 128 && (payload[0] ?? 0) <= 191;
}

function spaceOf(client: string, payload: Buffer): { kind: 'srtp' | 'srtcp'; name: string } {
  const type = payload[1] ?? 0;
  const kind = type >= 192 && type <= 223 ? 'srtcp' : 'srtp';
  const ssrc = payload.readUInt32BE(kind === 'srtcp' ? 4 : 8);
  return { kind, name: `${client} ${kind} ssrc ${ssrc}` };
}

/** The index follows the ciphertext; with AES-CM the authentication tag comes after it (AEAD: before it). */
function srtcpIndex(payload: Buffer, tagBytes: number): number {
  return payload.readUInt32BE(payload.length - tagBytes - 4) & 0x7fffffff;
}

function extend(highest: Map<string, number>, space: string, payload: Buffer): number {
  const sequence = payload.readUInt16BE(2);
  const top = highest.get(space);
  if (top === undefined) {
    highest.set(space, sequence + 0x10000);
    return sequence + 0x10000;
  }
  let delta = (sequence - top) & 0xffff;
  if (delta >= 0x8000) delta -= 0x10000;
  const index = top + delta;
  if (index > top) highest.set(space, index);
  return index;
}
