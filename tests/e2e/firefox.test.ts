// A Firefox learns of a moved transport by an ICE restart that the server offers, a Chromium by a candidate. Both are in one
// call, each receives what the other publishes, so the figures of the one as a receiver are those of the other as a publisher.
import { afterAll, beforeAll, describe, it } from 'vitest';
import type { TestPage } from '@godwit/testing';
import { Capture } from './support/environment.js';
import { openScene, sleep, type Scene } from './support/scene.js';
import {
  expectAsShams,
  expectIdsKept,
  expectOwnersToFollow,
  expectSoundCrypto,
  expectUndisturbed,
} from './support/verdicts.js';
import { describeWindows, measurePairs, type MoveWindow } from './support/windows.js';

/** Real moves, each after a sham: everything but the transfer. */
const MOVES = Number(process.env['GODWIT_E2E_MOVES'] ?? 4);
const WINDOW_MS = 3_500;
const CHROMIUM = 0;
const FIREFOX = 1;

const isFirefox = (client: number): boolean => client === FIREFOX;

describe('a Firefox and a Chromium in a call that moves to and fro between two nodes', () => {
  let scene: Scene<TestPage>;
  let capture: Capture;
  let windows: readonly MoveWindow[] = [];

  beforeAll(async () => {
    scene = await openScene({ clients: 2, usesFirefox: isFirefox });
    capture = new Capture(scene.network);
    await capture.ready();
    // Encoders and jitter buffers need a while until a call is as it will stay.
    await sleep(15_000);
  }, 120_000);

  afterAll(async () => {
    await scene?.close();
  });

  it(
    'loses no packet, freezes no frame and needs no key frame in either browser',
    { timeout: 60_000 + MOVES * 2 * 15_000, retry: 2 },
    async () => {
      windows = [];
      windows = await measurePairs(scene, MOVES, WINDOW_MS);
      print(windows);
      expectUndisturbed(windows);
      for (const client of [CHROMIUM, FIREFOX]) expectAsShams(windows, client);
    },
  );

  it('has both transports at the target after each move, and where they were after each sham', () => {
    expectOwnersToFollow(windows, MOVES * 2);
  });

  it('keeps the ids of connections and streams', async () => {
    await expectIdsKept(scene);
  });

  it('made no new DTLS handshake and used no nonce twice', { timeout: 120_000 }, async () => {
    await expectSoundCrypto(capture, 1_000 * MOVES);
  });
});

function print(windows: readonly MoveWindow[]): void {
  const lines = (['Chromium', 'Firefox'] as const).flatMap((browser, client) =>
    (['sham', 'move'] as const).map(
      (kind) => `${browser} receives, ${describeWindows(windows, kind, client)}`,
    ),
  );
  process.stdout.write(`\n${lines.join('\n')}\n`);
}
