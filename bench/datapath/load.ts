import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { rtpHeaderLength, writeRtpPacket } from '@godwit/rtp';
import { SrtpReceiver, SrtpSender } from '@godwit/transport';
import {
  benchKeys,
  BURST_PACKETS,
  clientKeys,
  PACKET_BYTES,
  PACKETS_PER_SECOND,
  PUBLISHER_PAYLOAD_TYPE,
  PUBLISHER_SSRC,
  SUBSCRIBERS,
  TRANSPORT_CC_ID,
  type Addresses,
} from './scenario.js';

const TAG_BYTES = 16;
const EXTENSION_BYTES = 8;
const HEADER_BYTES = 12;

/** The publisher and the ten subscribers, in the runner's process. */
export class Load {
  readonly addresses: Addresses;
  /** Packets that reached a subscriber. */
  received = 0;
  sent = 0;
  /** Packets of the first subscriber that decrypted. */
  authentic = 0;
  readonly #publisher: Socket;
  readonly #subscribers: readonly Socket[];
  readonly #sender = new SrtpSender(clientKeys(benchKeys('publisher')));
  readonly #receiver = new SrtpReceiver(clientKeys(benchKeys('subscriber 0')));
  readonly #payload = Buffer.alloc(PACKET_BYTES - HEADER_BYTES - EXTENSION_BYTES - TAG_BYTES, 0x5a);
  #isRunning = false;

  private constructor(publisher: Socket, subscribers: readonly Socket[]) {
    this.#publisher = publisher;
    this.#subscribers = subscribers;
    const remote = (socket: Socket) => ({
      address: '127.0.0.1',
      port: socket.address().port,
      family: 'IPv4' as const,
    });
    this.addresses = { publisher: remote(publisher), subscribers: subscribers.map(remote) };
    subscribers.forEach((socket, at) =>
      socket.on('message', (bytes) => {
        this.received += 1;
        if (
          at === 0 &&
          this.#receiver.unprotectRtp(bytes, rtpHeaderLength(bytes, bytes.length), bytes.length) > 0
        ) {
          this.authentic += 1;
        }
      }),
    );
  }

  static async open(): Promise<Load> {
    const sockets = await Promise.all(Array.from({ length: SUBSCRIBERS + 1 }, openSocket));
    const [publisher, ...subscribers] = sockets;
    return new Load(publisher!, subscribers);
  }

  async run(port: number): Promise<void> {
    this.#isRunning = true;
    const startedAtMs = performance.now();
    while (this.#isRunning) {
      const due = ((performance.now() - startedAtMs) / 1_000) * PACKETS_PER_SECOND;
      while (this.sent + BURST_PACKETS <= due) {
        for (let burst = 0; burst < BURST_PACKETS; burst += 1) this.#send(port);
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  async close(): Promise<void> {
    this.#isRunning = false;
    await Promise.all([this.#publisher, ...this.#subscribers].map((socket) => once(socket.close(), 'close')));
  }

  #send(port: number): void {
    this.sent += 1;
    const transportCc = Buffer.alloc(2);
    transportCc.writeUInt16BE(this.sent & 0xffff);
    const plain = writeRtpPacket({
      sequence: this.sent & 0xffff,
      timestamp: this.sent * 300,
      ssrc: PUBLISHER_SSRC,
      payloadType: PUBLISHER_PAYLOAD_TYPE,
      payload: this.#payload,
      extensions: [{ id: TRANSPORT_CC_ID, data: transportCc }],
    });
    const out = Buffer.concat([plain, Buffer.alloc(TAG_BYTES)]);
    this.#sender.protectRtp(out, HEADER_BYTES + EXTENSION_BYTES, plain.length, this.sent);
    if (this.#isRunning) this.#publisher.send(out, port, '127.0.0.1');
  }
}

async function openSocket(): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}
