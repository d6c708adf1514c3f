import { randomBytes, randomInt } from 'node:crypto';
import type { MediaKind } from '@godwit/protocol';
import { toNtpTime, type PeerSection, type SenderReport } from '@godwit/rtp';
import { codecOf } from './descriptions.js';
import type { Paced, Pacer } from './pacer.js';
import { RtpSource, type PlainPacket } from './rtp-source.js';

/** Opus at 48 kbit/s: 50 packets of 120 bytes a second. */
export interface AudioOptions {
  readonly packetsPerSecond?: number;
  readonly payloadBytes?: number;
}
/** 720 kbit/s by default: 30 frames a second of 3 packets. */
export interface VideoOptions {
  readonly framesPerSecond?: number;
  readonly packetsPerFrame?: number;
  readonly payloadBytes?: number;
}

/** VP8 payload descriptor (RFC 7741 4.2): start of a partition, and its continuation. */
const VP8_START = 0x10;
const VP8_CONTINUATION = 0x00;
/** VP8 frame tag (RFC 6386 9.1): bit 0 is clear in a key frame. */
const VP8_KEY_FRAME = 0x00;
const VP8_DELTA_FRAME = 0x01;

/** What a source needs of its transport. */
export interface PacketSink {
  sendRtp(packet: PlainPacket): void;
  nextTransportSequence(): number;
}

/** One published track: random payload in the shape of Opus or VP8, at a set pace. */
export class MediaSource {
  readonly kind: MediaKind;
  readonly #rtp: RtpSource;
  readonly #payloads: readonly Buffer[];
  readonly #intervalMs: number;
  #keyFrameWanted = true;
  #keyFrames = 0;
  #paced: Paced | null = null;

  /** `section`: as the server answered it. */
  constructor(kind: MediaKind, ssrc: number, section: PeerSection, options: AudioOptions & VideoOptions) {
    this.kind = kind;
    const { payloadType, clockRate } = section.codecs[0] ?? codecOf(kind);
    const { mid, transportCc } = section.extensions;
    this.#rtp = new RtpSource({
      ssrc,
      payloadType,
      clockRate,
      ...(mid === undefined ? {} : { mid: { id: mid, value: section.mid } }),
      ...(transportCc === undefined ? {} : { transportCcId: transportCc }),
      firstSequence: randomInt(0x8000),
      firstTimestamp: randomInt(2 ** 32),
    });
    if (kind === 'audio') {
      this.#payloads = [randomBytes(options.payloadBytes ?? 120)];
      this.#intervalMs = 1_000 / (options.packetsPerSecond ?? 50);
    } else {
      const bytes = options.payloadBytes ?? 1_000;
      this.#payloads = Array.from({ length: options.packetsPerFrame ?? 3 }, () => randomBytes(bytes));
      this.#intervalMs = 1_000 / (options.framesPerSecond ?? 30);
    }
  }

  get ssrc(): number {
    return this.#rtp.ssrc;
  }
  get packets(): number {
    return this.#rtp.packets;
  }
  /** Key frames made: one at the start, one for each request. */
  get keyFrames(): number {
    return this.#keyFrames;
  }

  start(pacer: Pacer, sink: PacketSink): void {
    this.#paced ??= pacer.every(this.#intervalMs, Math.random(), (nowMs) => this.#send(nowMs, sink));
  }

  /** As DTX or a pause: no packets until it starts again. */
  stop(): void {
    this.#paced?.stop();
    this.#paced = null;
  }

  requestKeyFrame(): void {
    this.#keyFrameWanted = true;
  }

  senderReport(nowMs: number, unixMs: number): SenderReport {
    return {
      type: 'senderReport',
      ssrc: this.ssrc,
      ntp: toNtpTime(unixMs),
      rtpTimestamp: this.#rtp.timestampAt(nowMs),
      packetCount: this.#rtp.packets,
      octetCount: this.#rtp.bytes,
      reports: [],
    };
  }

  #send(nowMs: number, sink: PacketSink): void {
    if (this.kind === 'video') this.#shapeFrame();
    const last = this.#payloads.length - 1;
    const transportSequence = (): number => sink.nextTransportSequence();
    for (const [number, payload] of this.#payloads.entries()) {
      sink.sendRtp(
        this.#rtp.next(nowMs, payload, this.kind === 'video' && number === last, transportSequence),
      );
    }
  }

  #shapeFrame(): void {
    for (const [number, payload] of this.#payloads.entries()) {
      payload[0] = number === 0 ? VP8_START : VP8_CONTINUATION;
      if (number === 0) payload[1] = this.#keyFrameWanted ? VP8_KEY_FRAME : VP8_DELTA_FRAME;
    }
    if (this.#keyFrameWanted) this.#keyFrames += 1;
    this.#keyFrameWanted = false;
  }
}
