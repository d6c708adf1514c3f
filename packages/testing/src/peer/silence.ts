import { clockMs, type MediaTransport } from './media-transport.js';

/** As the SDK: a transport is silent after this long; it is looked at so often, and for so long after a suspicion. */
const SILENCE_MS = 1_000;
const SILENCE_SAMPLE_MS = 250;
const SUSPICION_MAX_MS = 15_000;

/** True once nothing has come over the transport for a while; false when it is not of interest any more. */
export async function fallsSilent(transport: MediaTransport, isOfInterest: () => boolean): Promise<boolean> {
  const untilMs = clockMs() + SUSPICION_MAX_MS;
  while (isOfInterest() && clockMs() < untilMs) {
    if (clockMs() - transport.heardMs > SILENCE_MS) return true;
    await new Promise((resolve) => setTimeout(resolve, SILENCE_SAMPLE_MS));
  }
  return false;
}
