import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SILENCE_MS } from '../limits.js';
import { FakePeer } from '../testing/fakePeer.js';
import { FakePlatform } from '../testing/fakePlatform.js';
import { MediaConnection } from './mediaConnection.js';
import type { OfferedStreams } from './negotiator.js';

let peer: FakePeer;
let offers: OfferedStreams[];
let platform: FakePlatform;
let paths: boolean[];
let media: MediaConnection;
const STREAM = 'a'.repeat(16);

afterEach(() => vi.unstubAllGlobals());
beforeEach(() => {
  vi.stubGlobal('RTCRtpReceiver', { getCapabilities: () => null });
  peer = new FakePeer();
  offers = [];
  platform = new FakePlatform();
  paths = [];
  const delegate = {
    offer: (_sdp: string, streams: OfferedStreams) => {
      offers.push(streams);
      return Promise.resolve({ sdp: 'answer', refused: [] });
    },
    restartAnswer: () => Promise.resolve(),
    requestRestart: () => Promise.resolve(),
    pathChanged: (connected: boolean) => paths.push(connected),
    pathLost: () => undefined,
  };
  media = new MediaConnection(platform, {}, delegate, () => peer as unknown as RTCPeerConnection);
});

describe('subscriptions of one stream', () => {
  it('stand side by side: ending one leaves the other', async () => {
    const [one, two] = [{}, {}];
    await media.subscribe(STREAM, one);
    await media.subscribe(STREAM, two);
    expect(offers.at(-1)?.subscriptions).toEqual([
      { streamId: STREAM, audioMid: '0', videoMid: '1' },
      { streamId: STREAM, audioMid: '2', videoMid: '3' },
    ]);
    await media.unsubscribe(one);
    expect(offers.at(-1)?.subscriptions).toEqual([{ streamId: STREAM, audioMid: '2', videoMid: '3' }]);
    expect(peer.transceivers.map(({ direction }) => direction)).toEqual([
      'inactive',
      'inactive',
      'recvonly',
      'recvonly',
    ]);
  });

  it('take the m-lines of ended ones again', async () => {
    for (let round = 0; round < 3; round++) {
      const subscriber = {};
      await media.subscribe(STREAM, subscriber);
      await media.unsubscribe(subscriber);
    }
    expect(peer.transceivers).toHaveLength(2);
    expect(offers.at(-1)?.subscriptions).toEqual([]);
    // At once, before the end of the first has been negotiated.
    const [one, two] = [{}, {}];
    await media.subscribe(STREAM, one);
    const ended = media.unsubscribe(one);
    await media.subscribe(STREAM, two);
    await ended;
    expect(offers.at(-1)?.subscriptions).toHaveLength(1);
  });
});

it('names in an offer only what was asked for before it was made', async () => {
  const [one, two] = [{}, {}];
  await media.subscribe(STREAM, one);
  const before = offers.length;
  // The offer without the first one is being made, and the second takes its m-lines again.
  let begun: Promise<unknown> | undefined;
  peer.whileMaking = () => (begun ??= media.subscribe(STREAM, two));
  await media.unsubscribe(one);
  await begun;
  expect(offers.slice(before).map(({ subscriptions }) => subscriptions)).toEqual([
    [],
    [{ streamId: STREAM, audioMid: '0', videoMid: '1' }],
  ]);
});

describe('a peer connection that takes the place of another', () => {
  it('has an m-line to offer although there was nothing to take up, and uses it for what comes', async () => {
    await media.restore({ publications: new Map(), subscriptions: new Map() });
    expect(offers).toEqual([{ publications: [], subscriptions: [] }]);
    expect(peer.transceivers).toMatchObject([{ kind: 'audio', direction: 'inactive', mid: '0' }]);
    await media.subscribe(STREAM, {});
    expect(offers.at(-1)?.subscriptions).toEqual([{ streamId: STREAM, audioMid: '0', videoMid: '1' }]);
  });
});

it('offers no error correction for video, be it subscribed to or taken up', async () => {
  const codecs = ['VP8', 'rtx', 'red', 'ulpfec'].map((name) => ({ mimeType: `video/${name}` }));
  vi.stubGlobal('RTCRtpReceiver', { getCapabilities: () => ({ codecs }) });
  await media.restore({ publications: new Map(), subscriptions: new Map([[{}, STREAM]]) });
  await media.subscribe(STREAM, {});
  const offered = peer.transceivers.filter(({ kind }) => kind === 'video').map((each) => each.codecs);
  expect(offered).toEqual([codecs.slice(0, 2), codecs.slice(0, 2)]);
});

describe('a peer connection under suspicion', () => {
  it.each([
    ['something is received', 'recvonly', [false]],
    ['nothing is agreed upon', 'inactive', []],
  ])('to which nothing comes for a while: %s', async (_what, currentDirection, expected) => {
    peer.oniceconnectionstatechange?.();
    await media.subscribe(STREAM, {});
    for (const transceiver of peer.transceivers) transceiver.currentDirection = currentDirection;
    media.suspect();
    await platform.advance(2 * SILENCE_MS);
    expect(paths).toEqual(expected);
  });
});
