import { clockMs } from './media-transport.js';

/** As the SDK: a transport is silent after this long; it is looked at so often, and for so long after a suspicion. */
const SILENCE_MS = 1_000;
/** One without media gets nothing but answers to checks. */
const SILENCE_WITHOUT_MEDIA_MS = 6_500;
const SILENCE_SAMPLE_MS = 250;
const SUSPICION_MAX_MS = 15_000;

/** A transport whose node has gone out of control's sight. */
export interface Suspect {
  /** When a datagram last came. */
  heardMs(): number;
  /** Media is agreed upon, one way or the other. */
  hasMedia(): boolean;
  isOfInterest(): boolean;
}

/** True once nothing has come over the transport for a while; false when it is not of interest any more. */
export async function fallsSilent({ heardMs, hasMedia, isOfInterest }: Suspect): Promise<boolean> {
  const untilMs = clockMs() + SUSPICION_MAX_MS;
  let withoutMediaAtMs = Number.NEGATIVE_INFINITY;
  for (let nowMs = clockMs(); isOfInterest() && nowMs < untilMs; nowMs = clockMs()) {
    if (!hasMedia()) withoutMediaAtMs = nowMs;
    const isQuiet = hasMedia()
      ? nowMs - Math.max(heardMs(), withoutMediaAtMs) > SILENCE_MS
      : nowMs - heardMs() > SILENCE_WITHOUT_MEDIA_MS;
    if (isQuiet) return true;
    await new Promise((resolve) => setTimeout(resolve, SILENCE_SAMPLE_MS));
  }
  return false;
}
