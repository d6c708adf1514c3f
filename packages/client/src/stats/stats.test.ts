import { describe, expect, it } from 'vitest';
import { rtpStreamsOf, selectStats, statsMap } from './selectStats.js';
import { publisherStats, subscriberStats } from './shapes.js';

const entry = (id: string, type: string, fields: object = {}): [string, object] => [
  id,
  { id, type, timestamp: 0, ...fields },
];

const transceiver = (mid: string, trackId: string): RTCRtpTransceiver =>
  ({ mid, receiver: { track: { id: trackId } } }) as unknown as RTCRtpTransceiver;

const REPORT = new Map<string, unknown>([
  entry('in-a', 'inbound-rtp', {
    kind: 'audio',
    mid: '0',
    codecId: 'opus',
    transportId: 't',
    bytesReceived: 100,
  }),
  entry('in-v', 'inbound-rtp', {
    kind: 'video',
    mid: '1',
    codecId: 'vp8',
    transportId: 't',
    bytesReceived: 1_000,
    packetsLost: 2,
    frameWidth: 320,
    frameHeight: 180,
    framesPerSecond: 30,
    freezeCount: 1,
  }),
  entry('in-other', 'inbound-rtp', { kind: 'video', mid: '2', codecId: 'vp9', transportId: 't' }),
  entry('out-v', 'outbound-rtp', {
    kind: 'video',
    mid: '3',
    remoteId: 'remote',
    bytesSent: 7,
    packetsSent: 3,
  }),
  entry('remote', 'remote-inbound-rtp', { kind: 'video', packetsLost: 4 }),
  entry('opus', 'codec', { mimeType: 'audio/opus' }),
  entry('vp8', 'codec', { mimeType: 'video/VP8' }),
  entry('vp9', 'codec', { mimeType: 'video/VP9' }),
  entry('t', 'transport', { selectedCandidatePairId: 'pair' }),
  entry('pair', 'candidate-pair', { remoteCandidateId: 'candidate', transportId: 't' }),
  entry('candidate', 'remote-candidate', { transportId: 't' }),
]);

const inbound = selectStats(
  REPORT,
  rtpStreamsOf('inbound-rtp', [transceiver('0', 'x'), transceiver('1', 'y')]),
);

describe('the report of one subscriber', () => {
  it('holds its inbound streams and what they refer to, nothing else', () => {
    expect([...inbound.keys()].sort()).toEqual(['candidate', 'in-a', 'in-v', 'opus', 'pair', 't', 'vp8']);
  });

  it('is found by track where the browser does not tell the mid', () => {
    const report = new Map([
      entry('in', 'inbound-rtp', { trackIdentifier: 'y' }),
      entry('no', 'inbound-rtp', {}),
    ]);
    const selected = selectStats(report, rtpStreamsOf('inbound-rtp', [transceiver('1', 'y')]));
    expect([...selected.keys()]).toEqual(['in']);
  });

  it('skips what is no entry', () => {
    expect(
      statsMap(
        new Map<string, unknown>([
          ['a', null],
          ['b', { id: 1 }],
        ]),
      ).size,
    ).toBe(0);
  });
});

describe('getStats', () => {
  it('of a subscriber has the shape of OpenTok.js, with rates since the last call', () => {
    const first = subscriberStats(inbound, undefined, 1_000);
    expect(first).toMatchObject({
      audio: { bytesReceived: 100 },
      video: {
        bytesReceived: 1_000,
        packetsLost: 2,
        codec: 'VP8',
        width: 320,
        height: 180,
        freezeCount: 1,
        bitrate: 0,
      },
    });
    const earlier = { ...first, timestamp: 0, video: { ...first.video, bytesReceived: 500 } };
    expect(subscriberStats(inbound, earlier, 1_000).video).toMatchObject({
      bitrate: 4_000,
      totalBitrate: 4_000,
    });
  });

  it('of a publisher takes losses from the receiver', () => {
    const outbound = selectStats(REPORT, rtpStreamsOf('outbound-rtp', [transceiver('3', 'z')]));
    expect(publisherStats(outbound, 5).stats).toMatchObject({
      audio: { bytesSent: 0 },
      video: { bytesSent: 7, packetsSent: 3, packetsLost: 4 },
      timestamp: 5,
    });
  });
});
