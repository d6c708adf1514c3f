import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { join, openCallPage, type CallPage } from './support/call.js';
import { Capture } from './support/environment.js';
import { migrate, openScene, sleep, totals, type Scene } from './support/scene.js';

const MOVES = 2;
/** A stall of a busy machine is a loss or a freeze too: what fails three times running is a defect. */
const CASE = { timeout: 60_000, retry: 2 };
/** Counters that a move must not raise, in either page. */
const DISTURBANCES = [
  'audio.packetsLost',
  'video.packetsLost',
  'video.freezeCount',
  'video.pliCount',
  'sent.pliCount',
] as const;

/** Opus in RED is offered by Chromium and never chosen by itself: a page has to prefer it. */
const PREFER_RED = `
  const { addTransceiver } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.addTransceiver = function (source, init) {
    const transceiver = addTransceiver.call(this, source, init);
    if (transceiver.sender.track?.kind === 'audio') {
      const isRed = ({ mimeType }) => mimeType === 'audio/red';
      const { codecs } = RTCRtpReceiver.getCapabilities('audio');
      transceiver.setCodecPreferences([...codecs.filter(isRed), ...codecs.filter((codec) => !isRed(codec))]);
    }
    return transceiver;
  };`;

const KEEP_PEERS = `
  window.peers = [];
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...values) {
      super(...values);
      window.peers.push(this);
    }
  };`;

declare global {
  interface Window {
    peers: RTCPeerConnection[];
  }
}

type Counters = Awaited<ReturnType<typeof totals>>;

describe('one who publishes and one who watches, moved while live', () => {
  let base: Scene;
  const opened: Page[] = [];

  beforeAll(async () => {
    // Whoever asks the platform; its own call costs the machine next to nothing.
    base = await openScene({ clients: 1, publish: { videoSource: false, enableDtx: true } });
  }, 120_000);

  afterAll(async () => {
    await base?.close();
  });

  /** A session of its own in the same browser: a peer connection keeps what it negotiated once. */
  async function openCall(publish: Record<string, unknown>, firstScript?: string): Promise<Scene> {
    const { browser, platform, api } = base;
    // Only the call that is looked at costs the machine anything.
    await Promise.all(opened.splice(0).map((page) => page.close()));
    const sessionId = await api.createSession();
    const pages: CallPage<Page>[] = [];
    for (const name of ['publisher', 'watcher']) {
      const page = await openCallPage(
        browser,
        platform,
        name,
        name === 'publisher' ? firstScript : undefined,
      );
      opened.push(page.page);
      pages.push(page);
      const token = await api.token(sessionId);
      await join(page, platform, {
        sessionId,
        token,
        sessionMigration: true,
        publish: name === 'publisher' && { resolution: '320x180', frameRate: 30, ...publish },
      });
    }
    return { ...base, pages, sessionId, joined: [] };
  }

  async function flows(scene: Scene, kinds: { audio: boolean; video: boolean }): Promise<void> {
    const received = async (): Promise<{ audio: boolean; video: boolean }> => {
      const counters = await totals(scene.pages);
      return {
        audio: (counters['audio.packetsReceived'] ?? 0) > 50,
        video: (counters['video.framesDecoded'] ?? 0) > 30,
      };
    };
    await expect.poll(received, { timeout: 20_000, interval: 200 }).toEqual(kinds);
  }

  function expectUndisturbed(before: Counters, after: Counters): void {
    const grown = (key: string): number => (after[key] ?? 0) - (before[key] ?? 0);
    for (const key of DISTURBANCES) expect(grown(key), key).toBeLessThanOrEqual(0);
    expect(grown('video.keyFramesDecoded') - grown('periodicKeyFrames'), 'key frames').toBeLessThanOrEqual(0);
  }

  async function moveLive(scene: Scene, kinds: { audio: boolean; video: boolean }): Promise<void> {
    await flows(scene, kinds);
    const before = await totals(scene.pages);
    for (let move = 0; move < MOVES; move++) {
      expect((await migrate(scene)).status).toBe('completed');
      await sleep(500);
    }
    await sleep(1_000);
    const after = await totals(scene.pages);
    expectUndisturbed(before, after);
    const grown = (key: string): number => (after[key] ?? 0) - (before[key] ?? 0);
    expect(grown('audio.packetsReceived') > 0).toBe(kinds.audio);
    expect(grown('video.framesDecoded') > 0).toBe(kinds.video);
  }

  /** Audio packets on the wire while `work` runs, by what their payload types mean: statistics name Opus in either case. */
  async function audioOnTheWire(
    scene: Scene,
    work: () => Promise<void>,
  ): Promise<{ red: number; opus: number }> {
    const names = await scene.pages[0]!.page.evaluate(() => {
      const sdp = window.peers.at(-1)?.localDescription?.sdp ?? '';
      return [...sdp.matchAll(/^a=rtpmap:(\d+) (red|opus)\/48000/gm)].map(([, type, name]) => [type, name]);
    });
    const capture = new Capture(scene.network);
    await capture.ready();
    await work();
    const { datagrams } = await capture.finish();
    const counts = { red: 0, opus: 0 };
    for (const { payload } of datagrams) {
      const isRtp = payload.length > 12 && (payload[0]! & 0xc0) === 0x80;
      const name = names.find(([type]) => Number(type) === (payload[1]! & 0x7f))?.[1];
      if (isRtp && (name === 'red' || name === 'opus')) counts[name] += 1;
    }
    return counts;
  }

  const sent = ({ pages }: Scene) => pages[0]!.page.evaluate(() => window.call.sent());

  it('Opus without RED and DTX, and VP8', CASE, async () => {
    const scene = await openCall({}, KEEP_PEERS);
    const audio = await audioOnTheWire(scene, () => moveLive(scene, { audio: true, video: true }));
    expect(audio.opus).toBeGreaterThan(100);
    expect(audio.red).toBe(0);
    expect(await sent(scene)).toMatchObject({ video: { mimeType: 'video/VP8' } });
  });

  it('Opus in RED', CASE, async () => {
    const scene = await openCall({}, KEEP_PEERS + PREFER_RED);
    const audio = await audioOnTheWire(scene, () => moveLive(scene, { audio: true, video: true }));
    expect(audio.red).toBeGreaterThan(100);
    // The page that asks the platform sends Opus, with DTX.
    expect(audio.opus).toBeLessThan(audio.red);
  });

  it(
    'Opus with DTX: in silence hardly anything is sent, and a move in silence loses nothing',
    CASE,
    async () => {
      const scene = await openCall({ enableDtx: true, audioTrack: 'tone', videoSource: false });
      const [publisher] = scene.pages;
      const sound = (isOn: boolean): Promise<void> =>
        publisher!.page.evaluate((value) => window.call.sound(value), isOn);
      const packetsIn = async (ms: number): Promise<number> => {
        const before = await totals(scene.pages);
        await sleep(ms);
        return (
          ((await totals(scene.pages))['audio.packetsReceived'] ?? 0) - (before['audio.packetsReceived'] ?? 0)
        );
      };
      await flows(scene, { audio: true, video: false });
      const before = await totals(scene.pages);
      const speaking = await packetsIn(1_500);
      await sound(false);
      // The encoder sends on for a moment before it believes in the silence.
      await sleep(1_000);
      const silent = await packetsIn(1_500);
      expect(silent).toBeLessThan(speaking / 4);
      expect((await migrate(scene)).status).toBe('completed');
      expect(await packetsIn(1_500)).toBeLessThan(speaking / 4);
      await sound(true);
      await sleep(300);
      expect((await migrate(scene)).status).toBe('completed');
      expect(await packetsIn(1_500)).toBeGreaterThan(speaking / 2);
      expectUndisturbed(before, await totals(scene.pages));
    },
  );

  it('audio alone', CASE, async () => {
    await moveLive(await openCall({ videoSource: false }), { audio: true, video: false });
  });

  it('video alone', CASE, async () => {
    await moveLive(await openCall({ audioSource: false }), { audio: false, video: true });
  });

  it('a shared screen', CASE, async () => {
    const scene = await openCall({ videoSource: 'screen' });
    await moveLive(scene, { audio: true, video: true });
    expect(await sent(scene)).toMatchObject({ video: { contentType: 'screenshare' } });
    expect(await scene.pages[1]!.page.evaluate(() => window.call.videoTypes())).toEqual(['screen']);
  });

  it('a drawing of the page, where detail counts', CASE, async () => {
    const scene = await openCall({ videoTrack: 'drawing', videoContentHint: 'detail', audioSource: false });
    await moveLive(scene, { audio: false, video: true });
    expect(await sent(scene)).toMatchObject({ video: { contentType: 'screenshare' } });
    expect(await scene.pages[1]!.page.evaluate(() => window.call.videoTypes())).toEqual(['custom']);
  });
});
