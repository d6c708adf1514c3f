import type { StatsEntry } from './selectStats.js';

/** Counters of one kind of media of a subscriber (shape of OpenTok.js). */
export interface SubscriberTrackStats {
  bytesReceived: number;
  packetsLost: number;
  packetsReceived: number;
}
export interface SubscriberVideoStats extends SubscriberTrackStats {
  codec?: string;
  width?: number;
  height?: number;
  /** Bits per second since the last call; 0 at the first. */
  bitrate: number;
  totalBitrate: number;
  frameRate: number;
  decodedFrameRate: number;
  pauseCount: number;
  totalPausesDuration: number;
  freezeCount: number;
  totalFreezesDuration: number;
}
/** Answer of Subscriber.getStats. */
export interface SubscriberStats {
  audio: SubscriberTrackStats;
  video: SubscriberVideoStats;
  /** Milliseconds since 1970. */
  timestamp: number;
}
/** Counters of one kind of media of a publisher. */
export interface PublisherTrackStats {
  bytesSent: number;
  packetsLost: number;
  packetsSent: number;
}
/** One element of the answer of Publisher.getStats; media goes to the platform, so there is one. */
export interface PublisherStatsContainer {
  stats: {
    audio: PublisherTrackStats;
    video: PublisherTrackStats & { frameRate: number };
    timestamp: number;
  };
}

const number = (entry: StatsEntry | undefined, member: string): number => {
  const value = entry?.[member];
  return typeof value === 'number' ? value : 0;
};

function find(entries: ReadonlyMap<string, StatsEntry>, type: string, kind: string): StatsEntry | undefined {
  return [...entries.values()].find((entry) => entry.type === type && entry.kind === kind);
}

function receivedStats(entry: StatsEntry | undefined): SubscriberTrackStats {
  return {
    bytesReceived: number(entry, 'bytesReceived'),
    packetsLost: number(entry, 'packetsLost'),
    packetsReceived: number(entry, 'packetsReceived'),
  };
}

/** Codec name ("VP8") of an RTP stream. */
function codecName(
  entries: ReadonlyMap<string, StatsEntry>,
  entry: StatsEntry | undefined,
): string | undefined {
  const codec = typeof entry?.codecId === 'string' ? entries.get(entry.codecId) : undefined;
  return typeof codec?.mimeType === 'string' ? codec.mimeType.split('/')[1] : undefined;
}

/** Subscriber statistics of the entries of one subscriber; rates come from the difference to `before`. */
export function subscriberStats(
  entries: ReadonlyMap<string, StatsEntry>,
  before: SubscriberStats | undefined,
  nowMs: number,
): SubscriberStats {
  const audio = receivedStats(find(entries, 'inbound-rtp', 'audio'));
  const inbound = find(entries, 'inbound-rtp', 'video');
  const video = receivedStats(inbound);
  const codec = codecName(entries, inbound);
  const seconds = before === undefined ? 0 : (nowMs - before.timestamp) / 1000;
  const rate = (now: number, then: number): number =>
    seconds > 0 ? Math.max(0, Math.round(((now - then) * 8) / seconds)) : 0;
  const bitrate = rate(video.bytesReceived, before?.video.bytesReceived ?? 0);
  return {
    audio,
    video: {
      ...video,
      ...(codec !== undefined && { codec }),
      ...(inbound?.frameWidth !== undefined && { width: number(inbound, 'frameWidth') }),
      ...(inbound?.frameHeight !== undefined && { height: number(inbound, 'frameHeight') }),
      bitrate,
      totalBitrate: bitrate + rate(audio.bytesReceived, before?.audio.bytesReceived ?? 0),
      frameRate: number(inbound, 'framesPerSecond'),
      decodedFrameRate: number(inbound, 'framesPerSecond'),
      pauseCount: number(inbound, 'pauseCount'),
      totalPausesDuration: number(inbound, 'totalPausesDuration'),
      freezeCount: number(inbound, 'freezeCount'),
      totalFreezesDuration: number(inbound, 'totalFreezesDuration'),
    },
    timestamp: nowMs,
  };
}

/** Publisher statistics of the entries of one publisher. */
export function publisherStats(
  entries: ReadonlyMap<string, StatsEntry>,
  nowMs: number,
): PublisherStatsContainer {
  const sent = (kind: string): PublisherTrackStats => {
    const outbound = find(entries, 'outbound-rtp', kind);
    return {
      bytesSent: number(outbound, 'bytesSent'),
      packetsLost: number(find(entries, 'remote-inbound-rtp', kind), 'packetsLost'),
      packetsSent: number(outbound, 'packetsSent'),
    };
  };
  const frameRate = number(find(entries, 'outbound-rtp', 'video'), 'framesPerSecond');
  return { stats: { audio: sent('audio'), video: { ...sent('video'), frameRate }, timestamp: nowMs } };
}
