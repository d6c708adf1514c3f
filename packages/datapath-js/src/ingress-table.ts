import type { FrozenIngress, IngressStatus, StreamKey } from '@godwit/datapath';
import type { IngressRule } from '@godwit/protocol';
import { extensionLength, extensionOffset, findHeaderExtension } from '@godwit/rtp';
import { ReceiveStatistics } from './receive-statistics.js';
import type { SourcePacket } from './source-packet.js';
import { streamKeyText } from './stream.js';

const NO_PAYLOAD_TYPE = 0xff;

/** One encoding that a publisher sends. */
export class Ingress {
  readonly rule: IngressRule;
  readonly key: StreamKey;
  readonly streamText: string;
  ssrc: number | null;
  rtxSsrc: number | null;
  /** RTX payload type to the payload type of the original. */
  readonly #originalTypes = new Uint8Array(128).fill(NO_PAYLOAD_TYPE);
  /** Extension id of the transport-wide number; 0: not used. */
  readonly transportCcId: number;
  /** RTP clock of the payload, Hz. */
  readonly clockRate: number;
  readonly statistics: ReceiveStatistics;

  constructor(rule: IngressRule, former: Ingress | null) {
    this.rule = rule;
    this.key = { streamId: rule.streamId, encodingId: rule.encodingId };
    this.streamText = streamKeyText(rule);
    this.ssrc = rule.ssrc ?? former?.ssrc ?? null;
    this.rtxSsrc = rule.rtxSsrc ?? former?.rtxSsrc ?? null;
    this.statistics = former?.statistics ?? new ReceiveStatistics();
    this.transportCcId = rule.transportCc ? (rule.extensions.transportCc ?? 0) : 0;
    this.clockRate = rule.codecs[0]?.clockRate ?? 90_000;
    for (const codec of rule.codecs) {
      if (codec.rtxPayloadType !== undefined) this.#originalTypes[codec.rtxPayloadType] = codec.payloadType;
    }
  }

  /** Payload type that an RTX packet of this type retransmits (apt); -1 when it is none of ours. */
  originalType(rtxPayloadType: number): number {
    const original = this.#originalTypes[rtxPayloadType] ?? NO_PAYLOAD_TYPE;
    return original === NO_PAYLOAD_TYPE ? -1 : original;
  }

  hasPayloadType(payloadType: number): boolean {
    return this.rule.codecs.some((codec) => codec.payloadType === payloadType);
  }

  status(): IngressStatus {
    const { packets, highestIndex, jitter, lost } = this.statistics;
    return {
      stream: this.key,
      ssrc: this.ssrc,
      rtxSsrc: this.rtxSsrc,
      packets,
      highestIndex: highestIndex < 0 ? null : highestIndex,
      jitter,
      lost,
    };
  }
}

/** The encodings of one publisher by SSRC. SSRCs that were not signalled are learned. */
export class IngressTable {
  readonly entries: readonly Ingress[];
  readonly #bySsrc = new Map<number, Ingress>();
  readonly #byRtxSsrc = new Map<number, Ingress>();

  /** An entry of `former` with the same stream keeps its statistics and what it learned. */
  constructor(rules: readonly IngressRule[], former: IngressTable | null) {
    this.entries = rules.map((rule) => new Ingress(rule, former?.matching(rule) ?? null));
    for (const entry of this.entries) this.#index(entry);
  }

  matching(key: StreamKey): Ingress | null {
    const text = streamKeyText(key);
    return this.entries.find((entry) => entry.streamText === text) ?? null;
  }

  media(ssrc: number): Ingress | undefined {
    return this.#bySsrc.get(ssrc);
  }

  rtx(ssrc: number): Ingress | undefined {
    return this.#byRtxSsrc.get(ssrc);
  }

  /**
   * Assigns an authenticated packet of an unknown SSRC by its mid, rid and payload type. A known SSRC is never
   * replaced: its index space is what the stream counts in. True when it was learned.
   */
  learn(packet: SourcePacket): boolean {
    for (const entry of this.entries) {
      if (extensionText(packet, entry.rule.extensions.mid) !== entry.rule.mid) continue;
      if (this.#learnMedia(entry, packet) || this.#learnRtx(entry, packet)) return true;
    }
    return false;
  }

  /** Takes over what another owner learned. */
  restore(frozen: readonly FrozenIngress[]): void {
    for (const state of frozen) {
      const entry = this.matching(state);
      if (entry === null) continue;
      entry.ssrc ??= state.ssrc;
      entry.rtxSsrc ??= state.rtxSsrc;
      this.#index(entry);
    }
  }

  freeze(): FrozenIngress[] {
    const frozen: FrozenIngress[] = [];
    for (const { key, ssrc, rtxSsrc } of this.entries) {
      if (ssrc !== null) frozen.push({ ...key, ssrc, rtxSsrc });
    }
    return frozen;
  }

  #learnMedia(entry: Ingress, packet: SourcePacket): boolean {
    if (entry.ssrc !== null || !entry.hasPayloadType(packet.payloadType)) return false;
    if (!ridFits(entry.rule.rid, packet, entry.rule.extensions.rid)) return false;
    entry.ssrc = packet.ssrc;
    this.#index(entry);
    return true;
  }

  #learnRtx(entry: Ingress, packet: SourcePacket): boolean {
    if (entry.rtxSsrc !== null || entry.originalType(packet.payloadType) < 0) return false;
    if (!ridFits(entry.rule.rid, packet, entry.rule.extensions.repairedRid)) return false;
    entry.rtxSsrc = packet.ssrc;
    this.#index(entry);
    return true;
  }

  #index(entry: Ingress): void {
    if (entry.ssrc !== null) this.#bySsrc.set(entry.ssrc, entry);
    if (entry.rtxSsrc !== null) this.#byRtxSsrc.set(entry.rtxSsrc, entry);
  }
}

function ridFits(rid: string | undefined, packet: SourcePacket, id: number | undefined): boolean {
  return rid === undefined || extensionText(packet, id) === rid;
}

function extensionText(packet: SourcePacket, id: number | undefined): string | null {
  if (id === undefined) return null;
  const element = findHeaderExtension(packet.bytes, packet.headerLength, id);
  if (element === -1) return null;
  const offset = extensionOffset(element);
  return packet.bytes.toString('latin1', offset, offset + extensionLength(element));
}
