/** One entry of an RTCStatsReport (W3C webrtc-stats), read as plain fields. */
export type StatsEntry = {
  readonly id: string;
  readonly type: string;
  readonly timestamp: number;
} & Readonly<Record<string, unknown>>;

/** Anything that iterates like an RTCStatsReport. */
export interface StatsSource {
  forEach(visit: (entry: unknown) => void): void;
}

const isEntry = (value: unknown): value is StatsEntry =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as StatsEntry).id === 'string' &&
  typeof (value as StatsEntry).type === 'string';

/** A report as a map of its entries. */
export function statsMap(report: StatsSource): Map<string, StatsEntry> {
  const entries = new Map<string, StatsEntry>();
  report.forEach((value) => {
    if (isEntry(value)) entries.set(value.id, value);
  });
  return entries;
}

/**
 * The entries that match `isRoot` and everything they refer to by their `…Id` members (codec, transport,
 * selected pair, candidates, …): W3C webrtc-pc 8.5, with the roots chosen by us.
 */
export function selectStats(
  report: StatsSource,
  isRoot: (entry: StatsEntry) => boolean,
): Map<string, StatsEntry> {
  const all = statsMap(report);
  const selected = new Map<string, StatsEntry>();
  const queue = [...all.values()].filter(isRoot);
  for (let entry = queue.pop(); entry !== undefined; entry = queue.pop()) {
    if (selected.has(entry.id)) continue;
    selected.set(entry.id, entry);
    for (const [member, value] of Object.entries(entry)) {
      const referred = member.endsWith('Id') && typeof value === 'string' ? all.get(value) : undefined;
      if (referred !== undefined) queue.push(referred);
    }
  }
  return selected;
}

/** Roots for one stream: the RTP streams of `type` that belong to one of the transceivers. */
export function rtpStreamsOf(
  type: 'inbound-rtp' | 'outbound-rtp',
  transceivers: readonly RTCRtpTransceiver[],
): (entry: StatsEntry) => boolean {
  const mids = new Set(transceivers.map(({ mid }) => mid));
  const tracks = new Set(transceivers.map(({ receiver }) => receiver.track.id));
  return (entry) => {
    if (entry.type !== type) return false;
    // Browsers that do not report the mid name the track; senders are told apart by mid alone.
    if (typeof entry.mid === 'string') return mids.has(entry.mid);
    return (
      type === 'inbound-rtp' && typeof entry.trackIdentifier === 'string' && tracks.has(entry.trackIdentifier)
    );
  };
}
