import { otError } from '../errors.js';
import { rtpStreamsOf, selectStats } from '../stats/selectStats.js';
import type { StatsEntry } from '../stats/selectStats.js';
import type { PublicationHandle } from './publisher.js';

/** The browser's report, with only this publication's outbound streams. Fails with OT_NOT_CONNECTED without one. */
export async function reportOf(handle: PublicationHandle | undefined): Promise<Map<string, StatsEntry>> {
  if (handle === undefined) throw otError('OT_NOT_CONNECTED', 'The publisher is not published.');
  const transceivers = [handle.media.audio, handle.media.video].filter((each) => each !== undefined);
  return selectStats(await handle.getStats(), rtpStreamsOf('outbound-rtp', transceivers));
}

/** Level of what is sent, 0 to 1; undefined without sound. */
export async function audioLevelOf(handle: PublicationHandle | undefined): Promise<number | undefined> {
  const sources = [...(await reportOf(handle)).values()].filter(({ type }) => type === 'media-source');
  const level = sources.find(({ kind }) => kind === 'audio')?.audioLevel;
  return typeof level === 'number' ? level : undefined;
}
