// What a reasonable person would write first: decrypt, rewrite the header, encrypt for each subscriber, send. No
// replay window, nonce guard, cache, feedback, extensions or rules.
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { SrtpKeys } from '@godwit/datapath';
import { deriveSrtpSession } from './srtp-session.js';
import { serveForwarder } from './forwarder.js';
import {
  benchKeys,
  SUBSCRIBER_PAYLOAD_TYPE,
  SUBSCRIBERS,
  subscriberSsrc,
  type Addresses,
} from './scenario.js';

const TAG_BYTES = 16;
const HEADER_BYTES = 12;

interface Session {
  readonly key: Buffer;
  readonly salt: Buffer;
}

const publisher = sessionOf(benchKeys('publisher'), 'remote');
const subscribers = Array.from({ length: SUBSCRIBERS }, (_, at) => ({
  ...sessionOf(benchKeys(`subscriber ${at}`), 'local'),
  ssrc: subscriberSsrc(at),
  sequenceOffset: 1_000 + at,
  timestampOffset: 5_000 + at,
}));
let addresses: Addresses['subscribers'] = [];
let forwarded = 0;
let lastSequence = 0;
let rollover = 0;

function sessionOf(keys: SrtpKeys, side: 'local' | 'remote'): Session {
  return side === 'local'
    ? deriveSrtpSession(keys.localKey, keys.localSalt)
    : deriveSrtpSession(keys.remoteKey, keys.remoteSalt);
}

function nonce(salt: Buffer, ssrc: number, rolloverCounter: number, sequence: number): Buffer {
  const iv = Buffer.alloc(HEADER_BYTES);
  iv.writeUInt32BE(ssrc, 2);
  iv.writeUInt32BE(rolloverCounter, 6);
  iv.writeUInt16BE(sequence, 10);
  for (let at = 0; at < iv.length; at += 1) iv[at]! ^= salt[at]!;
  return iv;
}

function headerLength(packet: Buffer): number {
  const fixed = HEADER_BYTES + (packet[0]! & 0x0f) * 4;
  return (packet[0]! & 0x10) === 0 ? fixed : fixed + 4 + packet.readUInt16BE(fixed + 2) * 4;
}

const socket = createSocket({
  type: 'udp4',
  recvBufferSize: 4 * 1024 * 1024,
  sendBufferSize: 4 * 1024 * 1024,
  lookup: (address, _options, callback) => callback(null, address, 4),
});

socket.on('message', (packet) => {
  const header = headerLength(packet);
  const sequence = packet.readUInt16BE(2);
  const timestamp = packet.readUInt32BE(4);
  if (sequence < lastSequence - 0x8000) rollover += 1;
  lastSequence = sequence;
  const end = packet.length - TAG_BYTES;
  const iv = nonce(publisher.salt, packet.readUInt32BE(8), rollover, sequence);
  const decipher = createDecipheriv('aes-128-gcm', publisher.key, iv);
  decipher.setAAD(packet.subarray(0, header));
  decipher.setAuthTag(packet.subarray(end));
  const payload = decipher.update(packet.subarray(header, end));
  decipher.final();
  for (let at = 0; at < addresses.length; at += 1) {
    const subscriber = subscribers[at]!;
    const index = rollover * 0x10000 + sequence + subscriber.sequenceOffset;
    const out = Buffer.allocUnsafe(HEADER_BYTES + payload.length + TAG_BYTES);
    out[0] = 0x80;
    out[1] = (packet[1]! & 0x80) | SUBSCRIBER_PAYLOAD_TYPE;
    out.writeUInt16BE(index & 0xffff, 2);
    out.writeUInt32BE((timestamp + subscriber.timestampOffset) >>> 0, 4);
    out.writeUInt32BE(subscriber.ssrc, 8);
    const outIv = nonce(subscriber.salt, subscriber.ssrc, Math.floor(index / 0x10000), index & 0xffff);
    const cipher = createCipheriv('aes-128-gcm', subscriber.key, outIv);
    cipher.setAAD(out.subarray(0, HEADER_BYTES));
    cipher.update(payload).copy(out, HEADER_BYTES);
    cipher.final();
    cipher.getAuthTag().copy(out, HEADER_BYTES + payload.length);
    socket.send(out, addresses[at]!.port, addresses[at]!.address);
    forwarded += 1;
  }
});

// With a synchronous lookup `listening` is emitted inside bind: listen for it first.
const listening = once(socket, 'listening');
socket.bind(0, '127.0.0.1');
await listening;
serveForwarder({
  port: socket.address().port,
  configure: (told) => {
    addresses = told.subscribers;
  },
  forwarded: () => forwarded,
});
