import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { join, openCallPage, type CallPage } from './support/call.js';
import {
  everybodySees,
  migrate,
  openScene,
  sleep,
  totals,
  videosPlaying,
  type Scene,
} from './support/scene.js';
import { eventually } from './support/waits.js';

// What a moderator does to others, and what a publisher does to its own sources, in Chromium against the whole platform.

const PATIENCE = { timeout: 15_000, interval: 100 };

/** What of the SDK these tests call in the page. */
interface Sdk {
  session: {
    forceMuteAll(excluded?: readonly unknown[]): Promise<void>;
    disableForceMute(): Promise<void>;
    forceUnpublish(stream: string, done: (error?: { name: string; code: number }) => void): void;
    forceDisconnect(connection: string, done: (error?: { name: string; code: number }) => void): void;
    on(name: string, heard: (event: Record<string, unknown>) => void): void;
  };
  publisher: {
    on(name: string, heard: () => void): void;
    setVideoSource(track: MediaStreamTrack): Promise<void>;
    getVideoSource(): { track: MediaStreamTrack | null };
    getImgData(): string | null;
    publishAudio(value: boolean): void;
    stream: { hasAudio: boolean };
  };
}
interface SdkWindow {
  call: Sdk;
  heard: string[];
}

describe('a call of three in Chromium', () => {
  let scene: Scene;
  let moderator: CallPage;

  beforeAll(async () => {
    scene = await openScene({ clients: 2 });
    await everybodySees(scene);
    moderator = await openCallPage(scene.browser, scene.platform, 'moderator');
    const token = await scene.api.token(scene.sessionId, 'moderator');
    await join(moderator, scene.platform, {
      sessionId: scene.sessionId,
      token,
      sessionMigration: true,
      publish: false,
    });
    await eventually('the moderator sees both', PATIENCE.timeout, async () => {
      const count = await videosPlaying(moderator);
      return count === 2 ? null : `${count} videos play`;
    });
  }, 180_000);
  afterAll(() => scene?.close());

  const [ada, bob] = [(): CallPage => scene.pages[0] as CallPage, (): CallPage => scene.pages[1] as CallPage];

  it('another camera takes the place of the first without a new stream, and moves with its owner', async () => {
    const before = await totals([bob()]);
    const { changed, picture } = await ada().page.evaluate(async () => {
      const { publisher } = (window as unknown as SdkWindow).call;
      const canvas = document.createElement('canvas');
      const context = canvas.getContext('2d');
      setInterval(() => {
        if (context === null) return;
        context.fillStyle = `hsl(${performance.now() % 360} 80% 50%)`;
        context.fillRect(0, 0, canvas.width, canvas.height);
      }, 33);
      const [track] = canvas.captureStream(30).getVideoTracks();
      if (track === undefined) throw new Error('no track');
      await publisher.setVideoSource(track);
      const image = publisher.getImgData();
      return { changed: publisher.getVideoSource().track === track, picture: image?.length ?? 0 };
    });
    expect(changed).toBe(true);
    expect(picture).toBeGreaterThan(100);
    await expect.poll(() => videosPlaying(bob()), PATIENCE).toBe(1);
    expect((await migrate(scene)).status).toBe('completed');
    await sleep(1_500);
    await expect.poll(() => videosPlaying(bob()), PATIENCE).toBe(1);
    const after = await totals([bob()]);
    expect((after['video.packetsLost'] ?? 0) - (before['video.packetsLost'] ?? 0)).toBe(0);
  });

  it('everybody is muted, may unmute, and is told', async () => {
    for (const page of [ada(), bob()])
      await page.page.evaluate(() => {
        const { call } = window as unknown as SdkWindow;
        const heard: string[] = [];
        (window as unknown as SdkWindow).heard = heard;
        call.session.on('muteForced', (event) => heard.push(`session ${String(event['active'])}`));
        call.publisher.on('muteForced', () => heard.push('publisher'));
      });
    await moderator.page.evaluate(() => (window as unknown as SdkWindow).call.session.forceMuteAll());
    for (const page of [ada(), bob()])
      await expect
        .poll(() => page.page.evaluate(() => (window as unknown as SdkWindow).heard), PATIENCE)
        .toEqual(['session true', 'publisher']);
    await expect
      .poll(
        () =>
          moderator.page.evaluate(
            () => window.call.events.filter(({ detail }) => detail['changedProperty'] === 'hasAudio').length,
          ),
        PATIENCE,
      )
      .toBe(2);
    await ada().page.evaluate(() => (window as unknown as SdkWindow).call.publisher.publishAudio(true));
    await expect
      .poll(
        () => ada().page.evaluate(() => (window as unknown as SdkWindow).call.publisher.stream.hasAudio),
        PATIENCE,
      )
      .toBe(true);
    await moderator.page.evaluate(() => (window as unknown as SdkWindow).call.session.disableForceMute());
    await expect
      .poll(() => bob().page.evaluate(() => (window as unknown as SdkWindow).heard.at(-1)), PATIENCE)
      .toBe('session false');
  });

  it('who is no moderator is refused by name; a moderator takes a stream away, and then its publisher', async () => {
    const [first, second] = scene.joined;
    const refused = await bob().page.evaluate(
      (id) =>
        new Promise<unknown>((resolve) =>
          (window as unknown as SdkWindow).call.session.forceDisconnect(id, (error) => resolve(error?.code)),
        ),
      first?.connectionId ?? '',
    );
    expect(refused).toBe(1520);
    await moderator.page.evaluate(
      (id) =>
        new Promise<void>((resolve, reject) =>
          (window as unknown as SdkWindow).call.session.forceUnpublish(id, (error) =>
            error === undefined ? resolve() : reject(new Error(error.name)),
          ),
        ),
      first?.streamId ?? '',
    );
    await expect.poll(() => videosPlaying(bob()), PATIENCE).toBe(0);
    await expect.poll(() => videosPlaying(moderator), PATIENCE).toBe(1);
    await moderator.page.evaluate(
      (id) =>
        new Promise<void>((resolve, reject) =>
          (window as unknown as SdkWindow).call.session.forceDisconnect(id, (error) =>
            error === undefined ? resolve() : reject(new Error(error.name)),
          ),
        ),
      second?.connectionId ?? '',
    );
    await expect
      .poll(
        () =>
          bob().page.evaluate(() => window.call.events.filter(({ name }) => name === 'sessionDisconnected')),
        PATIENCE,
      )
      .toMatchObject([{ detail: { reason: 'forceDisconnected' } }]);
    await expect.poll(() => videosPlaying(moderator), PATIENCE).toBe(0);
  });
});
