import { statsMap } from '../stats/selectStats.js';
import type { StatsEntry, StatsSource } from '../stats/selectStats.js';

/** Counters of received media that a disturbance raises (W3C webrtc-stats, inbound-rtp). */
export interface DisturbanceCounters {
  packetsLost: number;
  freezeCount: number;
  concealedSamples: number;
  keyFramesDecoded: number;
  pliCount: number;
}

const MEMBERS = ['packetsLost', 'freezeCount', 'concealedSamples', 'keyFramesDecoded', 'pliCount'] as const;

/** The inbound streams of a report, by id. */
export function inboundStreams(report: StatsSource): Map<string, StatsEntry> {
  return new Map([...statsMap(report)].filter(([, entry]) => entry.type === 'inbound-rtp'));
}

const counter = (entry: StatsEntry, member: string): number => {
  const value = entry[member];
  return typeof value === 'number' ? value : 0;
};

/**
 * What the counters grew by between two reports, over the streams that are in both: a stream that started
 * meanwhile begins with a key frame of its own, which is no disturbance.
 */
export function growth(
  before: ReadonlyMap<string, StatsEntry>,
  after: ReadonlyMap<string, StatsEntry>,
): DisturbanceCounters {
  const sum: DisturbanceCounters = {
    packetsLost: 0,
    freezeCount: 0,
    concealedSamples: 0,
    keyFramesDecoded: 0,
    pliCount: 0,
  };
  for (const [id, entry] of after) {
    const earlier = before.get(id);
    if (earlier === undefined) continue;
    for (const member of MEMBERS) sum[member] += counter(entry, member) - counter(earlier, member);
  }
  // Only a loss can be taken back (a late packet); other counters that shrink belong to a stream made anew.
  for (const member of MEMBERS) if (member !== 'packetsLost') sum[member] = Math.max(0, sum[member]);
  return sum;
}
