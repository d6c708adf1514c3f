import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { join, openCallPage, type CallPage, type Joined } from './support/call.js';
import { everybodySees, migrate, openScene, sleep, videosPlaying, type Scene } from './support/scene.js';

// Moves run back to back, and meanwhile people do what people do. Two bystanders do nothing and must lose nothing; at the
// end everybody who is there sees everybody.

/** Lets a test ask for an ICE restart as the SDK does when the network changes. Ids are far above the SDK's own. */
const SOCKET_SCRIPT = `
let socket;
let lastId = 1e9;
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (data) { socket = this; return send.call(this, data); };
window.askForRestart = () => socket.send(JSON.stringify({ type: 'requestRestart', id: (lastId += 1) }));`;

interface Page {
  askForRestart(): void;
  call: {
    session: {
      unsubscribe(subscriber: unknown): void;
      subscribe(...args: unknown[]): unknown;
      disconnect(): void;
    };
    publisher: unknown;
    subscribers: Map<
      string,
      { stream: unknown; getRtcStatsReport(): Promise<Map<string, Record<string, unknown>>> }
    >;
  };
}

describe('a call that moves all the time while people come, go, mute and change networks', () => {
  let scene: Scene;
  let guest: CallPage;
  const moves: string[] = [];
  let isOver = false;
  let moving: Promise<void>;

  beforeAll(async () => {
    scene = await openScene({ clients: 3, firstScript: SOCKET_SCRIPT });
    await sleep(3_000);
    moving = (async () => {
      while (!isOver) moves.push((await migrate(scene)).status);
    })();
  }, 120_000);

  afterAll(async () => {
    isOver = true;
    await moving.catch(() => undefined);
    await scene.close();
  });

  const bystanders = (): [CallPage, CallPage] => [scene.pages[0] as CallPage, scene.pages[1] as CallPage];
  const actor = (): CallPage => scene.pages[2] as CallPage;

  /** Packets that the bystanders have lost of each other's streams. */
  async function lost(): Promise<number> {
    const counts = await Promise.all(
      bystanders().map(({ page }, number) =>
        page.evaluate(
          async (streamId) => {
            const subscriber = (window as unknown as Page).call.subscribers.get(streamId);
            const report =
              (await subscriber?.getRtcStatsReport()) ?? new Map<string, Record<string, unknown>>();
            return [...report.values()].reduce((sum, entry) => sum + Number(entry['packetsLost'] ?? 0), 0);
          },
          (scene.joined[1 - number] as Joined).streamId,
        ),
      ),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** Runs while at least two moves begin and end, and sees the bystanders lose nothing. */
  async function whileMoving(act: () => Promise<unknown>): Promise<void> {
    const before = await lost();
    const first = moves.length;
    await act();
    for (const deadline = Date.now() + 60_000; moves.length < first + 2; await sleep(50))
      if (Date.now() > deadline) throw new Error(`moves have stopped: ${moves.join()}`);
    expect(moves.slice(first)).toEqual(moves.slice(first).map(() => 'completed'));
    expect((await lost()) - before).toBe(0);
  }

  async function playing(page: CallPage, count: number): Promise<void> {
    for (const deadline = Date.now() + 30_000; (await videosPlaying(page)) !== count; await sleep(100))
      if (Date.now() > deadline)
        throw new Error(`${page.name} plays ${await videosPlaying(page)}, not ${count}`);
  }

  async function enter(page: CallPage): Promise<void> {
    const { api, platform, sessionId } = scene;
    const token = await api.token(sessionId);
    const publish = { resolution: '320x180', frameRate: 30, name: page.name };
    await join(page, platform, { sessionId, token, sessionMigration: true, publish });
  }

  it('somebody joins, publishes and leaves', async () => {
    guest = await openCallPage(scene.browser, scene.platform, 'guest', SOCKET_SCRIPT);
    await whileMoving(async () => {
      await enter(guest);
      await Promise.all([playing(guest, 3), ...scene.pages.map((page) => playing(page, 3))]);
    });
    await whileMoving(() => guest.page.evaluate(() => (window as unknown as Page).call.session.disconnect()));
    await everybodySees(scene);
  });

  it('one unsubscribes from all and subscribes again', async () => {
    await whileMoving(() =>
      actor().page.evaluate(() => {
        const { session, subscribers } = (window as unknown as Page).call;
        for (const subscriber of subscribers.values()) session.unsubscribe(subscriber);
      }),
    );
    await playing(actor(), 0);
  });

  it('one mutes itself and comes back', async () => {
    await whileMoving(() => actor().page.evaluate(() => window.call.mute(true)));
    await whileMoving(() => actor().page.evaluate(() => window.call.mute(false)));
    for (const page of bystanders()) await playing(page, 2);
  });

  it('one reloads its page', async () => {
    const { platform, browser, pages } = scene;
    await whileMoving(async () => {
      await actor().page.close({ runBeforeUnload: false });
      (pages as CallPage[])[2] = await openCallPage(browser, platform, 'client 3 again', SOCKET_SCRIPT);
      await enter(actor());
    });
    await everybodySees(scene);
  });

  it("one's network changes, again and again", async () => {
    for (let change = 0; change < 3; change++) {
      await whileMoving(() => actor().page.evaluate(() => (window as unknown as Page).askForRestart()));
    }
    await everybodySees(scene);
  });

  it('ends with everybody in the call on one node', async () => {
    isOver = true;
    await moving;
    process.stdout.write(`${moves.length} moves beside the actions, all completed\n`);
    await everybodySees(scene);
    const owners = await scene.api.owners(scene.sessionId);
    expect(owners.size).toBe(3);
    expect(new Set(owners.values()).size).toBe(1);
  });
});
