import { randomBytes } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { DtlsClient } from 'werift';
import type { DtlsFingerprint, IceCredentials, PoolAddress } from '@godwit/protocol';
import {
  buildBindingRequest,
  classify,
  isRtcp,
  parseRtcpCompound,
  parseRtpPacket,
  parseStunMessage,
  rtpHeaderLength,
  writeRtcpCompound,
  writeRtpPacket,
  type RtcpPacket,
  type RtpPacket,
} from '@godwit/rtp';
import { createNodeCertificate, SrtpReceiver, SrtpSender, type NodeCertificate } from '@godwit/transport';

type ClientOptions = ConstructorParameters<typeof DtlsClient>[0];
const AES_128_GCM = 7;
const DATAGRAM_BYTES = 1_500;
const CHECK_INTERVAL_MS = 50;

async function openSocket(): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

/** The network half of a browser: real ICE checks, a real DTLS handshake, real SRTP, no codecs. */
export class FakeBrowser {
  readonly ice: IceCredentials = {
    ufrag: randomBytes(6).toString('hex'),
    pwd: randomBytes(16).toString('hex'),
  };
  readonly fingerprint: DtlsFingerprint;
  readonly received: RtpPacket[] = [];
  readonly rtcp: RtcpPacket[] = [];
  /** As they were sent: what somebody on the way could have recorded. */
  lastCheck: Buffer = Buffer.alloc(0);
  lastMedia: Buffer = Buffer.alloc(0);
  readonly #certificate: NodeCertificate;
  /** What it sends from. */
  #socket: Socket;
  readonly #otherSockets: Socket[] = [];
  /** Packets of media that came to the address it sends from. */
  receivedHere = 0;
  #server: IceCredentials | null = null;
  /** Where media goes: the nominated address. */
  #selected: PoolAddress | null = null;
  readonly #candidates: PoolAddress[] = [];
  readonly #answered = new Set<number>();
  #dtlsTransport: { onData: (bytes: Buffer) => void } | null = null;
  #sender: SrtpSender | null = null;
  #receiver: SrtpReceiver | null = null;
  readonly #timer: NodeJS.Timeout;

  private constructor(socket: Socket, certificate: NodeCertificate) {
    this.#socket = socket;
    this.#certificate = certificate;
    this.fingerprint = certificate.fingerprint;
    this.#listen(socket);
    this.#timer = setInterval(() => {
      this.#check();
    }, CHECK_INTERVAL_MS);
  }

  static async open(): Promise<FakeBrowser> {
    return new FakeBrowser(await openSocket(), await createNodeCertificate());
  }

  /**
   * To another network: once a check from a new address is answered, everything leaves by it. What still comes to the old
   * address is received.
   */
  async changeAddress(): Promise<void> {
    const socket = await openSocket();
    this.#listen(socket);
    this.#otherSockets.push(socket);
    const answered = once(socket, 'message');
    this.#check(socket);
    await answered;
    this.#otherSockets.splice(this.#otherSockets.indexOf(socket), 1, this.#socket);
    this.#socket = socket;
    this.receivedHere = 0;
  }

  get selectedPort(): number | null {
    return this.#selected?.port ?? null;
  }

  /** Checks the first address, shakes hands over it. Resolves when SRTP can flow. */
  async connect(server: IceCredentials, address: PoolAddress): Promise<void> {
    this.#server = server;
    this.addCandidate(address);
    while (this.#selected === null) await new Promise((resolve) => setTimeout(resolve, 5));
    const transport = {
      type: 'udp',
      address: {},
      closed: false,
      onData: (_bytes: Buffer): void => undefined,
      close: () => Promise.resolve(),
      send: (bytes: Buffer) => {
        this.#send(bytes);
        return Promise.resolve();
      },
    };
    this.#dtlsTransport = transport;
    const dtls = new DtlsClient({
      cert: this.#certificate.certificatePem,
      key: this.#certificate.privateKeyPem,
      signatureHash: { hash: 4, signature: 3 },
      transport,
      srtpProfiles: [AES_128_GCM],
      extendedMasterSecret: true,
    } as unknown as ClientOptions);
    const connected = new Promise<void>((resolve) =>
      dtls.onConnect.subscribe(() => {
        resolve();
      }),
    );
    void dtls.connect();
    await connected;
    const { localKey, localSalt, remoteKey, remoteSalt } = dtls.extractSessionKeys(16, 12);
    const keys = {
      profile: 'AEAD_AES_128_GCM' as const,
      localKey: Buffer.from(localKey),
      localSalt: Buffer.from(localSalt),
      remoteKey: Buffer.from(remoteKey),
      remoteSalt: Buffer.from(remoteSalt),
    };
    this.#sender = new SrtpSender(keys);
    this.#receiver = new SrtpReceiver(keys);
  }

  /** As addIceCandidate: checked from now on, selected once it has answered. */
  addCandidate(address: PoolAddress): void {
    this.#candidates.push(address);
    this.#check();
  }

  sendRtp(packet: {
    ssrc: number;
    index: number;
    payloadType: number;
    timestamp: number;
    payload: Buffer;
  }): void {
    const plain = writeRtpPacket({ ...packet, sequence: packet.index % 0x10000, marker: false });
    const buffer = Buffer.alloc(DATAGRAM_BYTES);
    plain.copy(buffer);
    const length =
      this.#sender?.protectRtp(buffer, rtpHeaderLength(buffer, plain.length), plain.length, packet.index) ??
      0;
    this.#sendMedia(buffer.subarray(0, length));
  }

  sendRtcp(packets: readonly RtcpPacket[]): void {
    const plain = writeRtcpCompound(packets);
    const buffer = Buffer.alloc(DATAGRAM_BYTES);
    plain.copy(buffer);
    const length = this.#sender?.protectRtcp(buffer, plain.length) ?? 0;
    this.#sendMedia(buffer.subarray(0, length));
  }

  close(): void {
    clearInterval(this.#timer);
    for (const socket of [this.#socket, ...this.#otherSockets]) socket.close();
  }

  #listen(socket: Socket): void {
    socket.on('message', (bytes, from) => {
      const { length } = this.received;
      this.#receive(bytes, from);
      if (socket === this.#socket) this.receivedHere += this.received.length - length;
    });
  }

  #sendMedia(bytes: Buffer): void {
    this.lastMedia = bytes;
    this.#send(bytes);
  }

  #send(bytes: Buffer): void {
    const to = this.#selected;
    if (to !== null) this.#socket.send(Buffer.from(bytes), to.port, to.address);
  }

  /** The newest candidate has the highest priority; only it is nominated. */
  #check(socket = this.#socket): void {
    const server = this.#server;
    const newest = this.#candidates.at(-1);
    if (server === null || newest === undefined) return;
    const request = buildBindingRequest({
      transactionId: randomBytes(12),
      username: `${server.ufrag}:${this.ice.ufrag}`,
      password: server.pwd,
      priority: 1,
      iceRole: { role: 'controlling', tieBreaker: randomBytes(8).readBigUInt64BE() },
      useCandidate: true,
    });
    this.lastCheck = request;
    socket.send(request, newest.port, newest.address);
  }

  #receive(bytes: Buffer, from: RemoteInfo): void {
    switch (classify(bytes[0] ?? 255)) {
      case 'stun':
        if (parseStunMessage(bytes)?.class === 'success') this.#answered.add(from.port);
        if (this.#answered.has(this.#candidates.at(-1)?.port ?? 0))
          this.#selected = this.#candidates.at(-1) ?? null;
        return;
      case 'dtls':
        queueMicrotask(() => this.#dtlsTransport?.onData(Buffer.from(bytes)));
        return;
      case 'rtp':
        this.#media(Buffer.from(bytes));
        return;
      default:
        return;
    }
  }

  #media(bytes: Buffer): void {
    if (this.#receiver === null) return;
    if (isRtcp(bytes)) {
      const length = this.#receiver.unprotectRtcp(bytes, bytes.length);
      if (length > 0) this.rtcp.push(...parseRtcpCompound(bytes.subarray(0, length)));
      return;
    }
    const length = this.#receiver.unprotectRtp(bytes, rtpHeaderLength(bytes, bytes.length), bytes.length);
    const packet = length > 0 ? parseRtpPacket(bytes.subarray(0, length)) : null;
    if (packet !== null) this.received.push(packet);
  }
}
