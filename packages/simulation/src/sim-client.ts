import type { SrtpKeys } from '@godwit/datapath';
import type { UdpSocket } from '@godwit/datapath-js';
import type { PathMethod, SequencedEvent } from '@godwit/protocol';
import { buildAnswer, isRtcp, rtpHeaderLength, writeRtcpCompound, writeRtpPacket } from '@godwit/rtp';
import { SrtpReceiver, SrtpSender } from '@godwit/transport';
import type { ChannelEnd } from './channel.js';
import { ClientIce } from './client-ice.js';
import type { ClientRequest, ControlMessage, Joined } from './client-messages.js';
import { addressesIn, credentialsIn } from './ice-pair.js';
import { iceCredentialsOf, mirrored } from './identities.js';
import { Receptions } from './reception.js';
import type { SimProcess } from './process.js';
import { HANDSHAKE_BYTE } from './sim-node.js';
import type { World } from './world.js';

const PAYLOAD_TYPE = 111;
/** Of one datagram at a time: the network takes a copy. */
const scratch = Buffer.alloc(256);
/** First index of what a client sends: close to a rollover, which moves then cross. */
const FIRST_INDEX_MIN = 65_200;
const FIRST_INDEX_MAX = 65_530;
const MEDIA_INTERVAL_MS = 30;
const MEDIA_INTERVAL_QUIET_MS = 5_000;
const TICK_MS = 50;
const TICK_QUIET_MS = 1_000;
/** A client that only receives shows itself by its reports. */
const REPORT_INTERVAL_MS = 90;
const REPORT_INTERVAL_QUIET_MS = 5_000;
const HANDSHAKE_REPEAT_MS = 100;
/** No pair has answered for this long: the client asks for an ICE restart, and again. */
const RESTART_AFTER_MS = 3_000;
const RESTART_REPEAT_MS = 5_000;
/** Longer than control's patience with one restart, twice: then the client joins anew. */
const REJOIN_AFTER_MS = 16_000;
const REDIAL_MS = 400;

export interface ClientWorld {
  readonly world: World;
  readonly dialControl: (from: SimProcess) => ChannelEnd | null;
  /** Keys of a new transport, and the fingerprint by which its node finds them. */
  readonly newKeys: () => { readonly fingerprint: string; readonly keys: SrtpKeys };
  readonly newSsrc: () => number;
  readonly isQuiet: () => boolean;
  /** False while no media is to be sent at all. */
  readonly isSending: () => boolean;
  readonly onTold: (client: SimClient, event: SequencedEvent) => void;
}

type Session = {
  readonly joined: Joined;
  readonly fingerprint: string;
  readonly publishSsrc: number | null;
  readonly reportSsrc: number;
  readonly sender: SrtpSender;
  readonly receiver: SrtpReceiver;
  readonly ice: ClientIce;
  nextIndex: number;
  sent: number;
  readonly sentAtMs: number[];
  isShaken: boolean;
  lastSeq: number;
};

/** A client: signalling, an ICE agent, a publication and everything that it receives. It joins again when it is lost. */
export class SimClient {
  readonly process: SimProcess;
  readonly receptions = new Receptions();
  readonly publishes: boolean;
  readonly pathMethod: PathMethod;
  joins = 0;
  #end: ChannelEnd | null = null;
  #session: Session | null = null;
  #socket: UdpSocket | null = null;
  #aliveAtMs = 0;
  #nextRestartMs = 0;
  #pendingJoin: {
    readonly fingerprint: string;
    readonly keys: SrtpKeys;
    readonly publishSsrc: number | null;
  } | null = null;
  #pendingIce: ClientIce | null = null;
  readonly #options: ClientWorld;
  readonly #isEager: boolean;

  constructor(
    options: ClientWorld,
    process: SimProcess,
    { publishes, pathMethod }: { readonly publishes: boolean; readonly pathMethod: PathMethod },
  ) {
    this.#options = options;
    this.process = process;
    this.publishes = publishes;
    this.pathMethod = pathMethod;
    this.#isEager = options.world.random.chance(0.7);
  }

  get transportId(): string | null {
    return this.#session?.joined.transportId ?? null;
  }
  get publishSsrc(): number | null {
    return this.#session?.publishSsrc ?? null;
  }
  /** Counter of the last packet that was sent; -1 before the first. */
  get lastSent(): number {
    return (this.#session?.sent ?? 0) - 1;
  }
  /** When the packet with that counter was sent. */
  sentAtMs(counter: number): number {
    return this.#session?.sentAtMs[counter] ?? Number.NaN;
  }
  get isConnected(): boolean {
    return this.#session?.isShaken === true;
  }

  /** Runs inside its process. */
  async start(): Promise<void> {
    const { world } = this.#options;
    const address = `127.0.9.${this.process.number + 1}`;
    this.#socket = await world.network.socketsOf(this.process)(
      { address, port: 0, family: 'IPv4' },
      {
        onDatagram: (bytes) => {
          this.#receive(bytes);
        },
        onError: () => undefined,
      },
    );
    this.#dial();
    this.#every(
      () => (this.#options.isQuiet() ? TICK_QUIET_MS : TICK_MS),
      () => {
        this.#tick();
      },
    );
    this.#every(
      () => (this.#options.isQuiet() ? MEDIA_INTERVAL_QUIET_MS : MEDIA_INTERVAL_MS),
      () => {
        this.#sendMedia();
      },
    );
    this.#every(
      () => (this.#options.isQuiet() ? REPORT_INTERVAL_QUIET_MS : REPORT_INTERVAL_MS),
      () => {
        this.#sendReport();
      },
    );
  }

  // ---- signalling

  #dial(): void {
    const end = this.#options.dialControl(this.process);
    if (end === null) {
      this.#redial();
      return;
    }
    this.#end = end;
    end.onClose = () => {
      this.#end = null;
      this.#redial();
    };
    end.onMessage = (text) => {
      this.#message(JSON.parse(text) as ControlMessage);
    };
    if (this.#session === null) this.#join();
    else {
      const { connectionId, resumeToken } = this.#session.joined;
      this.#request({ type: 'resume', connectionId, resumeToken, lastSeq: this.#session.lastSeq });
    }
  }

  #redial(): void {
    const { world } = this.#options;
    world.afterIn(this.process, REDIAL_MS, () => {
      world.settles();
      if (this.#end === null) this.#dial();
    });
  }

  #join(): void {
    const { newKeys, newSsrc, world } = this.#options;
    const { fingerprint, keys } = newKeys();
    const publishSsrc = this.publishes ? newSsrc() : null;
    const ice = new ClientIce(iceCredentialsOf(world.random), {
      random: world.random,
      socket: () => this.#requireSocket(),
      isEager: this.#isEager,
    });
    this.#pendingJoin = { fingerprint, keys, publishSsrc };
    this.#pendingIce = ice;
    const { pathMethod } = this;
    this.#request({ type: 'join', pathMethod, ice: ice.local, fingerprint, publishSsrc });
  }

  /** The session is lost: leave what is left of it and join anew, on the same socket to control. */
  #rejoin(): void {
    if (this.#session !== null) this.#request({ type: 'leave' });
    this.#session?.sender.zero();
    this.#session = null;
    this.#end?.close();
    this.#end = null;
    this.#redial();
  }

  #request(request: ClientRequest): void {
    this.#end?.send(JSON.stringify(request));
  }

  #message(message: ControlMessage): void {
    if ('answer' in message) {
      this.#answer(message);
      return;
    }
    const session = this.#session;
    if (session !== null) session.lastSeq = Math.max(session.lastSeq, message.seq);
    this.#options.onTold(this, message);
    this.#event(message);
  }

  #answer(answer: Extract<ControlMessage, { answer: string }>): void {
    switch (answer.answer) {
      case 'joined':
        this.#joined(answer);
        return;
      case 'refused':
        this.#rejoin();
        return;
      case 'resumed':
        for (const streamId of answer.streams) this.#request({ type: 'subscribe', streamId });
        return;
      case 'subscribed':
        return;
    }
  }

  #joined(joined: Joined): void {
    const pending = this.#pendingJoin;
    const ice = this.#pendingIce;
    if (pending === null || ice === null) return;
    const { newSsrc, world } = this.#options;
    const keys = mirrored(pending.keys);
    this.joins += 1;
    this.#session = {
      joined,
      fingerprint: pending.fingerprint,
      publishSsrc: pending.publishSsrc,
      reportSsrc: newSsrc(),
      sender: new SrtpSender(keys),
      receiver: new SrtpReceiver(keys),
      ice,
      nextIndex: world.random.integer(FIRST_INDEX_MIN, FIRST_INDEX_MAX),
      sent: 0,
      sentAtMs: [],
      isShaken: false,
      lastSeq: joined.seq,
    };
    this.#aliveAtMs = world.nowMs;
    for (const address of joined.addresses) ice.addAddress(address, joined.ice);
    for (const streamId of joined.streams) this.#request({ type: 'subscribe', streamId });
  }

  #event(event: SequencedEvent): void {
    const session = this.#session;
    if (session === null) return;
    switch (event.event) {
      case 'streamCreated':
        // Everybody is told, its publisher too.
        if (event.stream.streamId !== session.joined.streamId)
          this.#request({ type: 'subscribe', streamId: event.stream.streamId });
        return;
      case 'streamDestroyed':
        this.#request({ type: 'unsubscribe', streamId: event.streamId });
        return;
      case 'moveCandidate':
        for (const { candidate } of event.candidates) {
          for (const address of addressesIn(candidate))
            session.ice.addAddress(address, this.#serverIce(session));
        }
        session.ice.tick(this.#options.world.nowMs, false);
        return;
      case 'restartOffer':
        this.#restart(session, event.restartId, event.sdp);
        return;
      case 'sessionDisconnected':
        this.#rejoin();
        return;
      default:
        return;
    }
  }

  /** Credentials of the present generation: candidates of a hop belong to it. */
  #server = new WeakMap<Session, { readonly ufrag: string; readonly pwd: string }>();
  #serverIce(session: Session): { readonly ufrag: string; readonly pwd: string } {
    return this.#server.get(session) ?? session.joined.ice;
  }

  #restart(session: Session, restartId: string, sdp: string): void {
    const server = credentialsIn(sdp);
    if (server === null) throw new Error('a restart offer without credentials');
    const local = iceCredentialsOf(this.#options.world.random);
    this.#server.set(session, server);
    session.ice.restart(local, server, addressesIn(sdp));
    this.#request({ type: 'restartAnswer', restartId, sdp: answerOf(local, session.fingerprint) });
  }

  // ---- media

  #tick(): void {
    const session = this.#session;
    if (session === null) return;
    const { nowMs } = this.#options.world;
    session.ice.tick(nowMs, this.#options.isQuiet());
    this.#shake(session, nowMs);
    if (session.ice.isAlive(nowMs)) this.#aliveAtMs = nowMs;
    else this.#recover(nowMs);
  }

  #nextShakeMs = 0;
  #shake(session: Session, nowMs: number): void {
    const { selected } = session.ice;
    if (session.isShaken || selected === null || nowMs < this.#nextShakeMs) return;
    this.#nextShakeMs = nowMs + HANDSHAKE_REPEAT_MS;
    this.#send(session, Buffer.from([HANDSHAKE_BYTE, 0]));
  }

  #recover(nowMs: number): void {
    const deadMs = nowMs - this.#aliveAtMs;
    if (deadMs > REJOIN_AFTER_MS) {
      this.#aliveAtMs = nowMs;
      this.#rejoin();
    } else if (deadMs > RESTART_AFTER_MS && nowMs >= this.#nextRestartMs) {
      this.#nextRestartMs = nowMs + RESTART_REPEAT_MS;
      this.#request({ type: 'requestRestart' });
    }
  }

  #sendMedia(): void {
    const session = this.#session;
    if (session?.isShaken !== true || session.publishSsrc === null || !this.#options.isSending()) return;
    const payload = Buffer.alloc(8);
    payload.writeUInt32BE(session.publishSsrc, 0);
    payload.writeUInt32BE(session.sent, 4);
    const index = session.nextIndex++;
    session.sent += 1;
    session.sentAtMs.push(this.#options.world.nowMs);
    const plain = writeRtpPacket({
      ssrc: session.publishSsrc,
      payloadType: PAYLOAD_TYPE,
      sequence: index % 0x10000,
      timestamp: (index * 960) >>> 0,
      marker: false,
      payload,
    });
    const buffer = scratch;
    plain.copy(buffer);
    const headerLength = rtpHeaderLength(buffer, plain.length);
    const length = session.sender.protectRtp(buffer, headerLength, plain.length, index);
    this.#send(session, buffer.subarray(0, length));
  }

  #sendReport(): void {
    const session = this.#session;
    if (session?.isShaken !== true || !this.#options.isSending()) return;
    const plain = writeRtcpCompound([{ type: 'receiverReport', ssrc: session.reportSsrc, reports: [] }]);
    const buffer = scratch;
    plain.copy(buffer);
    const length = session.sender.protectRtcp(buffer, plain.length);
    this.#send(session, buffer.subarray(0, length));
  }

  #send(session: Session, bytes: Buffer): void {
    const { selected } = session.ice;
    if (selected !== null) this.#requireSocket().send(bytes, selected.remote.port, selected.remote.address);
  }

  #receive(bytes: Buffer): void {
    const session = this.#session;
    const first = bytes[0] ?? 0xff;
    if (session === null) return;
    if (first < 2) session.ice.receive(this.#options.world.nowMs, bytes);
    else if (first === HANDSHAKE_BYTE) session.isShaken = true;
    else if (first >= 128 && first < 192) this.#decrypt(session, bytes);
  }

  #decrypt(session: Session, bytes: Buffer): void {
    if (isRtcp(bytes)) {
      session.receiver.unprotectRtcp(bytes, bytes.length);
      return;
    }
    const headerLength = rtpHeaderLength(bytes, bytes.length);
    const length = session.receiver.unprotectRtp(bytes, headerLength, bytes.length);
    if (length < headerLength + 8) return;
    const publishSsrc = bytes.readUInt32BE(headerLength);
    this.receptions.note(this.#options.world.nowMs, publishSsrc, bytes.readUInt32BE(headerLength + 4));
  }

  #requireSocket(): UdpSocket {
    if (this.#socket === null) throw new Error('the client has not started');
    return this.#socket;
  }

  #every(pauseMs: () => number, task: () => void): void {
    const { world } = this.#options;
    world.afterIn(this.process, world.random.between(0, pauseMs()), function again(this: void) {
      task();
      loop();
    });
    const loop = (): void => {
      world.afterIn(this.process, pauseMs(), () => {
        task();
        loop();
      });
    };
  }
}

function answerOf(ice: { ufrag: string; pwd: string }, fingerprint: string): string {
  return buildAnswer({
    sessionId: '1',
    version: 1,
    ice,
    iceLite: false,
    fingerprint: { algorithm: 'sha-256', value: fingerprint },
    setup: 'active',
    candidates: [],
    extmapAllowMixed: false,
    sections: [
      {
        state: 'active',
        mid: '0',
        kind: 'audio',
        direction: 'sendrecv',
        codecs: [{ payloadType: PAYLOAD_TYPE, name: 'opus', clockRate: 48_000, channels: 2 }],
        rtcpFeedback: {},
        extensions: {},
      },
    ],
  });
}
