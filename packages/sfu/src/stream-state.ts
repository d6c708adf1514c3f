import type { LinkId, StreamKey } from '@godwit/datapath';
import type { NtpTime } from '@godwit/rtp';
import { HoleTracker } from './hole-tracker.js';
import { KeyFrameRequester } from './key-frame-requester.js';
import { NackRequester } from './nack-requester.js';

/** Where the packets of a stream come from at this node. */
export type StreamSource = { readonly kind: 'local' } | { readonly kind: 'link'; readonly linkId: LinkId };

export interface RoutedStream extends StreamKey {
  readonly kind: 'audio' | 'video';
  readonly relayTo: readonly LinkId[];
  readonly source: StreamSource;
}

/** What this node decides about one encoding of one stream. */
export interface StreamState {
  route: RoutedStream;
  readonly nacks: NackRequester;
  readonly keyFrames: KeyFrameRequester;
  readonly holes: HoleTracker;
  /** The publisher's clock pair, as last heard. */
  clock: { readonly ntp: NtpTime; readonly rtpTimestamp: number } | null;
  clockReportedAtMs: number;
}

export function createStreamState(route: RoutedStream): StreamState {
  return {
    route,
    nacks: new NackRequester(),
    keyFrames: new KeyFrameRequester(),
    holes: new HoleTracker(),
    clock: null,
    clockReportedAtMs: Number.NEGATIVE_INFINITY,
  };
}

/** Key of a stream in maps. */
export function streamName({ streamId, encodingId }: StreamKey): string {
  return `${streamId}/${encodingId}`;
}
