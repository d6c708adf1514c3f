import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import {
  isRtcp,
  parseRtpPacket,
  rtpHeaderLength,
  writeRtpPacket,
  type RtpPacket,
  type RtpPacketInit,
} from '@godwit/rtp';
import type { BoundSocket, RemoteAddress, SrtpKeys, SrtpProfile } from '../values.js';
import type { ContractSrtpReceiver, ContractSrtpSender, DatapathHarness } from './harness.js';

const TRAILER_BYTES_MAX = 20;

/** A decrypted packet with its 48-bit SRTP index. */
export interface ReceivedRtp extends RtpPacket {
  readonly index: number;
}
export type OutgoingRtp = Omit<RtpPacketInit, 'sequence'> & { readonly index: number };

/** Keys as a server sees them: local is the server's. */
export function randomSrtpKeys(profile: SrtpProfile = 'AEAD_AES_128_GCM'): SrtpKeys {
  const keyBytes = profile === 'AEAD_AES_256_GCM' ? 32 : 16;
  const saltBytes = profile === 'AES_CM_128_HMAC_SHA1_80' ? 14 : 12;
  return {
    profile,
    localKey: randomBytes(keyBytes),
    localSalt: randomBytes(saltBytes),
    remoteKey: randomBytes(keyBytes),
    remoteSalt: randomBytes(saltBytes),
  };
}

/** A WebRTC client after its handshake: a UDP socket with SRTP, which audits what it gets. */
export class FakeClient {
  readonly keys: SrtpKeys;
  /** Decrypted, in order of arrival; each index once. */
  readonly received: ReceivedRtp[] = [];
  readonly rtcp: Buffer[] = [];
  /** Every datagram as it came. */
  readonly datagrams: Buffer[] = [];
  /** The same ciphertext again, as on two paths. */
  copies = 0;
  /** One index with two ciphertexts: the fault that must never be. */
  reusedIndices = 0;
  /** The last datagram sent. */
  lastSent: Buffer = Buffer.alloc(0);
  readonly #socket: Socket;
  readonly #sender: ContractSrtpSender;
  readonly #receiver: ContractSrtpReceiver;
  readonly #ciphertexts = new Map<string, Buffer>();

  private constructor(harness: DatapathHarness, keys: SrtpKeys, socket: Socket) {
    this.keys = keys;
    this.#socket = socket;
    const own = {
      profile: keys.profile,
      localKey: keys.remoteKey,
      localSalt: keys.remoteSalt,
      remoteKey: keys.localKey,
      remoteSalt: keys.localSalt,
    };
    this.#sender = harness.createSender(own);
    this.#receiver = harness.createReceiver(own);
    socket.on('message', (bytes) => this.#receive(bytes));
  }

  static async open(harness: DatapathHarness, keys: SrtpKeys = randomSrtpKeys()): Promise<FakeClient> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new FakeClient(harness, keys, socket);
  }

  get remote(): RemoteAddress {
    const { address, port } = this.#socket.address();
    return { address, port, family: 'IPv4' };
  }

  sendRtp(to: BoundSocket, packet: OutgoingRtp): void {
    const plain = writeRtpPacket({ ...packet, sequence: packet.index % 0x10000 });
    const buffer = Buffer.concat([plain, Buffer.alloc(TRAILER_BYTES_MAX)]);
    const headerLength = rtpHeaderLength(plain, plain.length);
    const length = this.#sender.protectRtp(buffer, headerLength, plain.length, packet.index);
    if (length < 0) throw new Error(`the client's own guard refused index ${packet.index}`);
    this.sendRaw(to, buffer.subarray(0, length));
  }

  sendRtcp(to: BoundSocket, compound: Buffer): void {
    const buffer = Buffer.concat([compound, Buffer.alloc(TRAILER_BYTES_MAX)]);
    this.sendRaw(to, buffer.subarray(0, this.#sender.protectRtcp(buffer, compound.length)));
  }

  sendRaw(to: BoundSocket, bytes: Buffer): void {
    this.lastSent = bytes;
    this.#socket.send(bytes, to.port, to.address);
  }

  /** Received packets of one SSRC. */
  of(ssrc: number): ReceivedRtp[] {
    return this.received.filter((packet) => packet.ssrc === ssrc);
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #receive(bytes: Buffer): void {
    this.datagrams.push(Buffer.from(bytes));
    if ((bytes[0] ?? 0) < 128) return;
    if (isRtcp(bytes)) this.#receiveRtcp(bytes);
    else this.#receiveRtp(bytes);
  }

  #receiveRtcp(bytes: Buffer): void {
    const length = this.#receiver.unprotectRtcp(bytes, bytes.length);
    if (length >= 0) this.rtcp.push(bytes.subarray(0, length));
  }

  #receiveRtp(bytes: Buffer): void {
    const ciphertext = Buffer.from(bytes);
    const name = `${bytes.readUInt32BE(8)}/${bytes.readUInt16BE(2)}`;
    const former = this.#ciphertexts.get(name);
    if (former?.equals(ciphertext) === true) {
      this.copies += 1;
      return;
    }
    if (former !== undefined) this.reusedIndices += 1;
    this.#ciphertexts.set(name, ciphertext);
    const length = this.#receiver.unprotectRtp(bytes, rtpHeaderLength(bytes, bytes.length), bytes.length);
    const packet = length < 0 ? null : parseRtpPacket(bytes.subarray(0, length));
    if (packet !== null) this.received.push({ ...packet, index: this.#receiver.lastIndex });
  }
}
