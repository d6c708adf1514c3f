import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Capture } from './support/environment.js';
import { openScene, sleep, totals, type Scene } from './support/scene.js';
import {
  expectAsShams,
  expectIdsKept,
  expectOwnersToFollow,
  expectSoundCrypto,
  expectUndisturbed,
} from './support/verdicts.js';
import { describeWindows, measurePairs, type MoveWindow } from './support/windows.js';

/** Real moves, each after a sham: everything but the transfer. */
const MOVES = Number(process.env['GODWIT_E2E_MOVES'] ?? 20);
const CLIENTS = 3;
/** Every window is as long, so that what machines do by themselves shows in both kinds alike. */
const WINDOW_MS = 3_500;

describe('three people in a call that moves to and fro between two nodes', () => {
  let scene: Scene;
  let capture: Capture;
  let windows: readonly MoveWindow[] = [];

  beforeAll(async () => {
    // Stock WebRTC: no flag but a camera that needs no hardware.
    scene = await openScene({ clients: CLIENTS });
    capture = new Capture(scene.network);
    await capture.ready();
    // Encoders and jitter buffers need a while until a call is as it will stay.
    await sleep(15_000);
  }, 120_000);

  afterAll(async () => {
    await scene?.close();
  });

  it(
    'loses no packet, freezes no frame and needs no key frame',
    { timeout: 60_000 + MOVES * 2 * 15_000, retry: 2 },
    async () => {
      windows = [];
      windows = await measurePairs(scene, MOVES, WINDOW_MS);
      process.stdout.write(`\n${describeWindows(windows, 'sham')}\n${describeWindows(windows, 'move')}\n`);
      expectUndisturbed(windows);
      expectAsShams(windows);
    },
  );

  it('has every transport at the target after each move, and where it was after each sham', () => {
    expectOwnersToFollow(windows, MOVES * 2);
  });

  it('keeps the ids of connections and streams', async () => {
    await expectIdsKept(scene);
  });

  it('goes on undisturbed when the node that holds nothing is stopped', { timeout: 60_000 }, async () => {
    const { api, pages, sessionId } = scene;
    const owners = new Set((await api.owners(sessionId)).values());
    const idle = (await api.nodes()).find(({ id }) => !owners.has(id));
    expect(idle).toBeDefined();
    const before = await totals(pages);
    process.kill(idle?.pid ?? 0, 'SIGTERM');
    await sleep(6_000);
    const after = await totals(pages);
    for (const key of ['audio.packetsLost', 'video.packetsLost', 'video.freezeCount', 'video.pliCount']) {
      expect((after[key] ?? 0) - (before[key] ?? 0), key).toBe(0);
    }
    expect(after['video.framesDecoded']).toBeGreaterThan(before['video.framesDecoded'] ?? 0);
  });

  it('made no new DTLS handshake and used no nonce twice', { timeout: 120_000 }, async () => {
    await expectSoundCrypto(capture, 10_000);
  });
});
