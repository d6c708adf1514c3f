import type { EgressStatus, FrozenEgress, StreamKey } from '@godwit/datapath';
import type { EgressRule } from '@godwit/protocol';
import { EgressMapping } from './egress-mapping.js';
import { streamKeyText } from './stream.js';
import type { TransportEntry } from './transport-entry.js';

const NO_PAYLOAD_TYPE = 0xff;

/** One encoding as one subscriber gets it: the rule, compiled for the hot path, and what changes with packets. */
export class Egress {
  readonly transport: TransportEntry;
  readonly key: StreamKey;
  readonly streamText: string;
  readonly ssrc: number;
  rtxSsrc: number | null = null;
  isEnabled = false;
  /** Publisher's payload type to the subscriber's, and to its RTX type. */
  payloadTypes = new Uint8Array(0);
  rtxPayloadTypes = new Uint8Array(0);
  /** Publisher's extension id to the subscriber's; 0: not passed on. */
  extensionIds = new Uint8Array(0);
  absSendTimeId = 0;
  transportCcId = 0;
  mapping = new EgressMapping();
  /** Out indices below this were another owner's to send. */
  floorOutIndex = 0;
  timestampOffset: number;
  packets = 0;
  octets = 0;

  constructor(transport: TransportEntry, rule: EgressRule, timestampOffset: number) {
    this.transport = transport;
    this.key = { streamId: rule.streamId, encodingId: rule.encodingId };
    this.streamText = streamKeyText(rule);
    this.ssrc = rule.ssrc;
    this.timestampOffset = timestampOffset;
    this.apply(rule);
  }

  /** A new rule for the same SSRC and stream. */
  apply(rule: EgressRule): void {
    this.rtxSsrc = rule.rtxSsrc ?? null;
    this.payloadTypes = new Uint8Array(128).fill(NO_PAYLOAD_TYPE);
    this.rtxPayloadTypes = new Uint8Array(128).fill(NO_PAYLOAD_TYPE);
    for (const { from, to, rtx } of rule.payloadTypes) {
      this.payloadTypes[from] = to;
      if (rtx !== undefined) this.rtxPayloadTypes[from] = rtx;
    }
    this.extensionIds = new Uint8Array(256);
    for (const { from, to } of rule.extensions) this.extensionIds[from] = to;
    this.absSendTimeId = rule.absSendTimeId ?? 0;
    this.transportCcId = rule.transportCcId ?? 0;
    if (!rule.enabled) this.mapping.isPaused = true;
    this.isEnabled = rule.enabled;
  }

  /** Subscriber's payload type, -1 when it does not take the publisher's. */
  payloadType(from: number): number {
    const to = this.payloadTypes[from] ?? NO_PAYLOAD_TYPE;
    return to === NO_PAYLOAD_TYPE ? -1 : to;
  }

  rtxPayloadType(from: number): number {
    const to = this.rtxPayloadTypes[from] ?? NO_PAYLOAD_TYPE;
    return to === NO_PAYLOAD_TYPE ? -1 : to;
  }

  status(): EgressStatus {
    const last = this.mapping.lastSourceIndex;
    return {
      ssrc: this.ssrc,
      stream: this.key,
      packets: this.packets,
      octets: this.octets,
      timestampOffset: this.timestampOffset,
      lastSourceIndex: last < 0 ? null : last,
      enabled: this.isEnabled,
    };
  }

  freeze(highestSourceIndex: number): FrozenEgress {
    const { ssrc, timestampOffset, packets, octets } = this;
    return { ssrc, ...this.mapping.freeze(highestSourceIndex), timestampOffset, packets, octets };
  }

  /** Goes on where another owner stopped. `nextOutIndex` is the first that is ours. */
  thaw(state: FrozenEgress, nextOutIndex: number): void {
    this.mapping = EgressMapping.thaw(state.lastSourceIndex, state.mappings);
    if (!this.isEnabled) this.mapping.isPaused = true;
    this.floorOutIndex = nextOutIndex;
    this.timestampOffset = state.timestampOffset;
    this.packets = state.packets;
    this.octets = state.octets;
  }
}
