import type { StreamKey, TransportId } from '@godwit/datapath';
import type { EgressRule, IngressRule, TransportMedia } from '@godwit/protocol';
import { ReceiverReporter } from './receiver-reporter.js';
import { TransportCcReporter } from './transport-cc-reporter.js';

/** What this node decides about one transport that it owns or is about to own. */
export interface TransportState {
  readonly transportId: TransportId;
  /** Our SSRC in RTCP; travels with the transport. */
  readonly localSsrc: number;
  media: TransportMedia;
  /** Feedback flows only while we own the transport and its handshake is over. */
  active: boolean;
  readonly transportCc: TransportCcReporter;
  readonly receiverReports: ReceiverReporter;
}

export function createTransportState(
  transportId: TransportId,
  localSsrc: number,
  media: TransportMedia,
): TransportState {
  return {
    transportId,
    localSsrc,
    media,
    active: false,
    transportCc: new TransportCcReporter(),
    receiverReports: new ReceiverReporter(),
  };
}

export function sameStream(a: StreamKey, b: StreamKey): boolean {
  return a.streamId === b.streamId && a.encodingId === b.encodingId;
}

/** Video that `after` sends and `before` did not, by another feed on an SSRC in use, too: each needs a key frame. */
export function newlyEnabledVideo(before: readonly EgressRule[], after: readonly EgressRule[]): EgressRule[] {
  const enabled = new Map(before.filter((rule) => rule.enabled).map((rule) => [rule.ssrc, rule]));
  return after.filter((rule) => {
    const former = enabled.get(rule.ssrc);
    const goesOn = former !== undefined && sameStream(former, rule);
    return rule.kind === 'video' && rule.enabled && !goesOn;
  });
}

export function ingressOf(media: TransportMedia, stream: StreamKey): IngressRule | undefined {
  return media.ingress.find((rule) => sameStream(rule, stream));
}
