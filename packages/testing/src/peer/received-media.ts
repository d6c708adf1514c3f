import type { MediaKind } from '@godwit/protocol';
import {
  extensionOffset,
  findHeaderExtension,
  type PeerSection,
  type RtcpPacket,
  type TransportFeedback,
} from '@godwit/rtp';
import { codecOf } from './descriptions.js';
import { ReceivedStream } from './received-stream.js';
import { TransportCcFeedback } from './transport-cc-feedback.js';

/** Report blocks of one RR (RFC 3550 6.4.1: five bits). */
const REPORT_BLOCKS_MAX = 31;

type ReportBlocks = Extract<RtcpPacket, { type: 'receiverReport' }>['reports'];

/** One received track. */
export interface ReceivedTrack {
  readonly streamId: string;
  readonly kind: MediaKind;
  readonly stream: ReceivedStream;
  readonly transportCcId: number | undefined;
}

/** Everything that a peer receives, by SSRC. */
export class ReceivedMedia {
  /** Packets of SSRCs that no subscription names: of one that has just ended, or none at all. */
  unknown = 0;
  readonly #tracks = new Map<number, ReceivedTrack>();
  readonly #feedback = new TransportCcFeedback();
  readonly #decryptOneIn: number;
  #packets = 0;

  constructor(decryptOneIn: number) {
    this.#decryptOneIn = decryptOneIn;
  }

  tracks(streamId?: string): readonly ReceivedTrack[] {
    return [...this.#tracks.values()].filter(
      (track) => streamId === undefined || track.streamId === streamId,
    );
  }

  /** A subscription has its answer. */
  expect(streamId: string, kind: MediaKind, answer: PeerSection): void {
    const ssrc = answer.ssrcs[0]?.ssrc;
    if (ssrc === undefined || this.#tracks.has(ssrc)) return;
    const stream = new ReceivedStream(ssrc, codecOf(kind).clockRate);
    this.#tracks.set(ssrc, { streamId, kind, stream, transportCcId: answer.extensions.transportCc });
  }

  forget(streamId: string): void {
    for (const track of this.tracks(streamId)) this.#tracks.delete(track.stream.ssrc);
  }

  /** `unprotect` decrypts in place; it answers a negative number when the packet is not authentic. */
  take(nowMs: number, packet: Buffer, headerLength: number, unprotect: () => number): void {
    const track = this.#tracks.get(packet.readUInt32BE(8));
    if (track === undefined) {
      this.unknown += 1;
      return;
    }
    const sequence = packet.readUInt16BE(2);
    const tag = packet.readUInt32BE(packet.length - 4);
    if (track.stream.examine(sequence, tag) !== 'fresh') return;
    this.#packets += 1;
    if (this.#packets % this.#decryptOneIn === 0 && unprotect() < 0) return;
    track.stream.accept(nowMs, sequence, tag, packet.readUInt32BE(4), packet.length);
    if (track.transportCcId === undefined) return;
    const element = findHeaderExtension(packet, headerLength, track.transportCcId);
    if (element !== -1) this.#feedback.note(nowMs, packet.readUInt16BE(extensionOffset(element)));
  }

  /** Transport-cc feedback that is due. */
  feedback(nowMs: number, senderSsrc: number): TransportFeedback[] {
    const [mediaSsrc] = this.#tracks.keys();
    return mediaSsrc === undefined ? [] : this.#feedback.due(nowMs, senderSsrc, mediaSsrc);
  }

  reportBlocks(nowMs: number): ReportBlocks {
    const begun = this.tracks().filter(({ stream }) => stream.highestSequence !== null);
    return begun.slice(0, REPORT_BLOCKS_MAX).map(({ stream }) => ({
      ssrc: stream.ssrc,
      fractionLost: 0,
      packetsLost: stream.report(nowMs).lost,
      highestSequence: (stream.highestSequence ?? 0) % 2 ** 32,
      jitter: 0,
      lastSenderReport: 0,
      delaySinceLastSenderReport: 0,
    }));
  }
}
