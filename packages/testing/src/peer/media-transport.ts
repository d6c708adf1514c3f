import { randomBytes } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { DtlsFingerprint, IceCredentials } from '@godwit/protocol';
import {
  classify,
  isRtcp,
  parseRtcpCompound,
  rtpHeaderLength,
  writeRtcpCompound,
  type RtcpPacket,
} from '@godwit/rtp';
import {
  createIceCredentials,
  createNodeCertificate,
  SrtpReceiver,
  SrtpSender,
  type NodeCertificate,
} from '@godwit/transport';
import { DtlsHandshakeClient } from './dtls-client.js';
import { IceClient, type IceClientOutput, type IceRemote } from './ice-client.js';
import type { PlainPacket } from './rtp-source.js';

const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024;
/** Tag and SRTCP index. */
const RTCP_TRAILER_BYTES = 20;
/** An address that answers no check for so long will not. */
const PATH_TIMEOUT_MS = 10_000;

/** The server's end, as its description says it. */
export interface ServerEnd {
  readonly ice: IceCredentials;
  readonly fingerprint: DtlsFingerprint;
  readonly remotes: readonly IceRemote[];
}

export interface MediaTransportHandler {
  /** An SRTP packet as it came: the header is plain. Decrypt it in place with {@link MediaTransport.unprotectRtp}. */
  rtp(nowMs: number, packet: Buffer, headerLength: number): void;
  rtcp(nowMs: number, packets: readonly RtcpPacket[]): void;
  /** Media goes to this address from now on. */
  selected?(nowMs: number, remote: IceRemote): void;
  /** Consent has expired. */
  lost?(nowMs: number): void;
}

type LookupCallback = (error: NodeJS.ErrnoException | null, address: string, family: number) => void;

/** Addresses are always numeric: answering at once keeps `send` synchronous. */
function numericLookup(address: string, _options: unknown, callback: LookupCallback): void {
  callback(null, address, 4);
}

/** The clock of all peers in a process, ms: monotonic, with fractions. */
export const clockMs = (): number => performance.now();

/**
 * The network half of a WebRTC client: one UDP socket (IPv4) with real ICE as controlling agent, a real DTLS handshake
 * and SRTP both ways. No codecs.
 */
export class MediaTransport {
  readonly fingerprint: DtlsFingerprint;
  /** Authenticated SRTP and SRTCP failures: none are expected but copies of packets that came by two paths. */
  authenticationFailures = 0;
  readonly #certificate: NodeCertificate;
  readonly #socket: Socket;
  #handler: MediaTransportHandler | null = null;
  readonly #ice = new IceClient(randomBytes(16));
  #local = createIceCredentials(randomBytes);
  #dtls: DtlsHandshakeClient | null = null;
  #sender: SrtpSender | null = null;
  #receiver: SrtpReceiver | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;
  #heardMs = Number.NaN;
  #pathFound: (() => void) | null = null;

  private constructor(socket: Socket, certificate: NodeCertificate) {
    this.#socket = socket;
    this.#certificate = certificate;
    this.fingerprint = certificate.fingerprint;
    socket.on('message', (bytes, from) => this.#receive(bytes, from));
    // An ICMP answer of a port that has closed: the checks tell as much.
    socket.on('error', () => undefined);
  }

  /** Rejects with the system's error. `address`: of the local interface; all by default. */
  static async open(address = '0.0.0.0'): Promise<MediaTransport> {
    const socket = createSocket({ type: 'udp4', lookup: numericLookup });
    // Asked for first: with a look-up that answers at once, so does bind.
    const listening = once(socket, 'listening');
    socket.bind(0, address);
    await listening;
    socket.setRecvBufferSize(SOCKET_BUFFER_BYTES);
    return new MediaTransport(socket, await createNodeCertificate());
  }

  /** Who hears of what comes. Nothing does before connect. */
  listen(handler: MediaTransportHandler): void {
    this.#handler = handler;
  }

  /** When a datagram last came; NaN before the first. */
  get heardMs(): number {
    return this.#heardMs;
  }

  /** Our credentials of the current ICE generation. */
  get ice(): IceCredentials {
    return this.#local;
  }
  /** Where media goes; null before a path is found. */
  get selected(): IceRemote | null {
    return this.#ice.selected;
  }
  get isConnected(): boolean {
    return this.#sender !== null;
  }

  /** Finds a path and shakes hands over it. Resolves when SRTP can flow. */
  async connect(server: ServerEnd): Promise<void> {
    const found = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no address of the server answered')), PATH_TIMEOUT_MS);
      this.#pathFound = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#carryOut(this.#ice.start(clockMs(), this.#local, server.ice, server.remotes));
    await found;
    this.#dtls = new DtlsHandshakeClient(this.#certificate, (record) => this.#send(Buffer.from(record)));
    const keys = await this.#dtls.handshake(server.fingerprint);
    this.#receiver = new SrtpReceiver(keys);
    this.#sender = new SrtpSender(keys);
  }

  /** As addIceCandidate: checked from now on, selected if it answers and its priority is the highest. */
  addRemote(remote: IceRemote): void {
    if (!this.#isClosed) this.#carryOut(this.#ice.addRemote(clockMs(), remote));
  }

  /** A server-offered ICE restart. Returns our new credentials, for the answer. */
  restart(server: Pick<ServerEnd, 'ice' | 'remotes'>): IceCredentials {
    this.#local = createIceCredentials(randomBytes);
    this.#carryOut(this.#ice.start(clockMs(), this.#local, server.ice, server.remotes));
    return this.#local;
  }

  /** Encrypts in place and sends. Throws before the handshake has ended. */
  sendRtp({ buffer, headerLength, length, index }: PlainPacket): void {
    const protectedLength = this.#srtpSender().protectRtp(buffer, headerLength, length, index);
    if (protectedLength < 0) throw new Error(`index ${index} was sent before`);
    this.#send(buffer.subarray(0, protectedLength));
  }

  sendRtcp(packets: readonly RtcpPacket[]): void {
    const plain = writeRtcpCompound(packets);
    const buffer = Buffer.allocUnsafe(plain.length + RTCP_TRAILER_BYTES);
    plain.copy(buffer);
    const length = this.#srtpSender().protectRtcp(buffer, plain.length);
    this.#send(buffer.subarray(0, length));
  }

  /** Decrypts in place. Returns the plain length; negative when it is not authentic, or was seen before. */
  unprotectRtp(packet: Buffer, headerLength: number): number {
    const length = this.#receiver?.unprotectRtp(packet, headerLength, packet.length) ?? -1;
    if (length < 0) this.authenticationFailures += 1;
    return length;
  }

  /** Sends any bytes by the selected path: for tests of what a server does with them. */
  sendRaw(bytes: Buffer): void {
    this.#send(bytes);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#sender?.zero();
    this.#receiver?.zero();
    this.#socket.close();
  }

  #srtpSender(): SrtpSender {
    if (this.#sender === null) throw new Error('the handshake has not ended');
    return this.#sender;
  }

  #send(bytes: Buffer): void {
    const to = this.#ice.selected;
    if (to !== null && !this.#isClosed) this.#socket.send(bytes, to.port, to.address);
  }

  #receive(bytes: Buffer, from: RemoteInfo): void {
    if (this.#isClosed) return;
    const nowMs = clockMs();
    this.#heardMs = nowMs;
    switch (classify(bytes[0] ?? 255)) {
      case 'stun':
        this.#carryOut(this.#ice.receive(nowMs, bytes));
        return;
      case 'dtls':
        // In a turn of its own: the handshake may send before it listens.
        queueMicrotask(() => this.#dtls?.receive(bytes));
        return;
      case 'rtp':
        this.#ice.heard(nowMs, from.address, from.port);
        this.#receiveMedia(nowMs, bytes);
        return;
      default:
        return;
    }
  }

  #receiveMedia(nowMs: number, bytes: Buffer): void {
    if (this.#receiver === null) return;
    if (!isRtcp(bytes)) {
      const headerLength = rtpHeaderLength(bytes, bytes.length);
      if (headerLength !== -1) this.#handler?.rtp(nowMs, bytes, headerLength);
      return;
    }
    const length = this.#receiver.unprotectRtcp(bytes, bytes.length);
    if (length > 0) this.#handler?.rtcp(nowMs, parseRtcpCompound(bytes.subarray(0, length)));
  }

  #carryOut(outputs: readonly IceClientOutput[]): void {
    for (const output of outputs) {
      switch (output.kind) {
        case 'send':
          this.#socket.send(output.bytes, output.to.port, output.to.address);
          break;
        case 'selected':
          this.#pathFound?.();
          this.#handler?.selected?.(clockMs(), output.remote);
          break;
        case 'consentExpired':
          this.#handler?.lost?.(clockMs());
          break;
        default:
          output satisfies never;
      }
    }
    this.#arm();
  }

  #arm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#isClosed) return;
    const nowMs = clockMs();
    this.#timer = setTimeout(
      () => this.#carryOut(this.#ice.tick(clockMs())),
      Math.max(1, this.#ice.dueMs(nowMs) - nowMs),
    );
  }
}
