import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isBeyondShams, type Pair } from '@godwit/testing';
import { kernelDrops } from '../../bench/load/kernel-drops.js';
import { join, loadCallPage, openCallPage, type CallPage } from './support/call.js';
import { EndlessMoves } from './support/endless-moves.js';
import { everybodySees, openScene, sleep, videosPlaying, type Scene } from './support/scene.js';
import { eventually } from './support/waits.js';

// Moves run back to back, and meanwhile people do what people do. Two bystanders do nothing and must lose nothing. A machine
// that starts decoders on busy cores loses packets by itself: so each action is done again without moves, for as long, and
// what is lost beside moves is compared with that. At the end everybody who is there sees everybody.

/** Each: an action beside moves, and the same without. */
const ROUNDS = 3;
const MOVES_PER_WINDOW_MIN = 2;
/** Later rounds act later in a move. */
const STAGGER_MS = 300;
/** A hole is counted as lost once packets behind it have come and nothing repaired it. */
const SETTLE_MS = 1_000;
const PATIENCE_MS = 30_000;
const CASE = { timeout: 280_000 };
/** Time between unsubscribing and subscribing again: another one for each step of a move. */
const HIDDEN_MS = [0, 100, 200, 300, 400, 500];
const RESTARTS = 3;
const RESTART_PAUSE_MS = 1_000;
/** Half the frames of other tests: decoders must not be what keeps two cores busy. */
const PUBLISH = { resolution: '320x180', frameRate: 15 };

/** Lets a test ask for an ICE restart as the SDK does when the network changes. Ids are far above the SDK's own. */
const SOCKET_SCRIPT = `
let socket;
let lastId = 1e9;
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (data) { socket = this; return send.call(this, data); };
window.askForRestart = () => socket.send(JSON.stringify({ type: 'requestRestart', id: (lastId += 1) }));`;

interface RestartingWindow {
  askForRestart(): void;
}

/** What bystanders lost while something was done. */
interface Loss {
  readonly packets: number;
  readonly elapsedMs: number;
  /** Datagrams dropped because a process did not read its socket: by the machine, or by a process that was busy. */
  readonly kernelDrops: number;
}

describe('a call that moves all the time while people come, go, mute and change networks', () => {
  let scene: Scene;
  let moves: EndlessMoves;

  beforeAll(async () => {
    scene = await openScene({ clients: 3, firstScript: SOCKET_SCRIPT, publish: PUBLISH });
    moves = new EndlessMoves(scene);
    await sleep(3_000);
  }, 120_000);

  afterAll(async () => {
    await moves?.stop().catch(() => undefined);
    await scene?.close();
  });

  const bystanders = (): CallPage[] => scene.pages.slice(0, 2);
  const actor = (): CallPage => scene.pages[2] as CallPage;

  /** Packets that the bystanders have lost of each other's streams. */
  async function lost(): Promise<number> {
    const counts = await Promise.all(
      bystanders().map(({ page }, number) =>
        page.evaluate((id) => window.call.lostOf(id), scene.joined[1 - number]?.streamId ?? ''),
      ),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async function lossDuring(work: () => Promise<unknown>): Promise<Loss> {
    const { prefix } = scene.network;
    const before = { packets: await lost(), drops: kernelDrops(prefix) };
    const startedAtMs = Date.now();
    await work();
    const elapsedMs = Date.now() - startedAtMs;
    await sleep(SETTLE_MS);
    // A packet that came late after all is taken off the sum again.
    const packets = Math.max(0, (await lost()) - before.packets);
    return { packets, elapsedMs, kernelDrops: kernelDrops(prefix) - before.drops };
  }

  async function besideMoves(act: () => Promise<unknown>, round: number): Promise<Loss> {
    const first = moves.statuses.length;
    const loss = await lossDuring(async () => {
      moves.start();
      try {
        await sleep(round * STAGGER_MS);
        await act();
        await moves.ended(MOVES_PER_WINDOW_MIN, first);
      } finally {
        await moves.stop();
      }
    });
    const ended = moves.statuses.slice(first);
    expect(ended).toEqual(ended.map(() => 'completed'));
    return loss;
  }

  function withoutMoves(act: () => Promise<unknown>, lengthMs: number): Promise<Loss> {
    return lossDuring(async () => {
      const startedAtMs = Date.now();
      await act();
      await sleep(Math.max(0, startedAtMs + lengthMs - Date.now()));
    });
  }

  /** The action must leave the call as it found it. `prepare` is no part of what is measured. */
  async function bystandersLoseNothing(
    act: () => Promise<unknown>,
    prepare = (): Promise<unknown> => Promise.resolve(),
  ): Promise<void> {
    const pairs: Pair[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await prepare();
      const moved = await besideMoves(act, round);
      await prepare();
      const still = await withoutMoves(act, moved.elapsedMs);
      process.stdout.write(
        `${expect.getState().currentTestName ?? ''}: lost ${moved.packets} beside moves, ${still.packets} without, ` +
          `in ${(moved.elapsedMs / 1_000).toFixed(1)} s each; the kernel dropped ${moved.kernelDrops} and ${still.kernelDrops}\n`,
      );
      pairs.push({ sham: still.packets, real: moved.packets });
    }
    expect(
      isBeyondShams(pairs),
      `lost beyond what actions without moves lose: ${JSON.stringify(pairs)}`,
    ).toBe(false);
  }

  /** Resolves once each of the pages plays so many videos. */
  async function playing(count: number, ...pages: readonly CallPage[]): Promise<void> {
    await eventually(`${count} videos play`, PATIENCE_MS, async () => {
      const counts = await Promise.all(pages.map((page) => videosPlaying(page)));
      const wrong = pages.flatMap(({ name }, at) => (counts[at] === count ? [] : [`${name} ${counts[at]}`]));
      return wrong.length === 0 ? null : `playing: ${wrong.join(', ')}`;
    });
  }

  async function enter(page: CallPage): Promise<void> {
    const { api, platform, sessionId } = scene;
    const token = await api.token(sessionId);
    const publish = { ...PUBLISH, name: page.name };
    await join(page, platform, { sessionId, token, sessionMigration: true, publish });
  }

  it('somebody joins, publishes and leaves', CASE, async () => {
    const { browser, platform, pages } = scene;
    const guest = await openCallPage(browser, platform, 'guest', SOCKET_SCRIPT);
    await bystandersLoseNothing(
      async () => {
        await enter(guest);
        await playing(3, guest, ...pages);
        await guest.page.evaluate(() => window.call.leave());
        await playing(2, ...pages);
      },
      () => loadCallPage(guest, platform, SOCKET_SCRIPT),
    );
    await guest.page.close();
  });

  it('one unsubscribes from all and subscribes again, again and again', CASE, async () => {
    const { page } = actor();
    await bystandersLoseNothing(async () => {
      for (const hiddenMs of HIDDEN_MS) {
        await page.evaluate(() => window.call.hideAll());
        await sleep(hiddenMs);
        await page.evaluate(() => window.call.showAgain());
        await playing(2, actor());
      }
    });
  });

  it('one stops publishing and publishes again', CASE, async () => {
    const { page, name } = actor();
    await bystandersLoseNothing(async () => {
      await page.evaluate(() => window.call.unpublish());
      await playing(1, ...bystanders());
      await page.evaluate((properties) => window.call.publish(properties), { ...PUBLISH, name });
      await playing(2, ...bystanders());
    });
  });

  it('one mutes itself and comes back', CASE, async () => {
    const { page } = actor();
    await bystandersLoseNothing(async () => {
      await page.evaluate(() => window.call.mute(true));
      await playing(1, ...bystanders());
      await page.evaluate(() => window.call.mute(false));
      await playing(2, ...bystanders());
    });
  });

  it('one reloads its page', CASE, async () => {
    await bystandersLoseNothing(async () => {
      await loadCallPage(actor(), scene.platform, SOCKET_SCRIPT);
      await enter(actor());
      await everybodySees(scene);
    });
  });

  it("one's network changes, again and again", CASE, async () => {
    const { page } = actor();
    await bystandersLoseNothing(async () => {
      for (let change = 0; change < RESTARTS; change++) {
        await page.evaluate(() => (window as unknown as RestartingWindow).askForRestart());
        await sleep(RESTART_PAUSE_MS);
      }
      await everybodySees(scene);
    });
  });

  it('ends with everybody in the call on one node', CASE, async () => {
    process.stdout.write(`${moves.statuses.length} moves beside the actions\n`);
    expect(moves.statuses.length).toBeGreaterThan(0);
    expect(moves.statuses.filter((status) => status !== 'completed')).toEqual([]);
    await everybodySees(scene);
    const owners = await scene.api.owners(scene.sessionId);
    expect(owners.size).toBe(3);
    expect(new Set(owners.values()).size).toBe(1);
  });
});
