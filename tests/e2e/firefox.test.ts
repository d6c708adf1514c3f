// A Firefox learns of a moved transport by an ICE restart that the server offers, a Chromium by a candidate. Both are in one
// call, each receives what the other publishes, so the figures of the one as a receiver are those of the other as a publisher.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditNonces, type TestPage } from '@godwit/testing';
import { Capture, fromServers } from './support/environment.js';
import { openScene, sleep, type Scene } from './support/scene.js';
import { all, describeWindows, max, measureMove, sum, type MoveWindow } from './support/windows.js';

/** Real moves, each after a sham: everything but the transfer. */
const MOVES = Number(process.env['GODWIT_E2E_MOVES'] ?? 4);
const WINDOW_MS = 3_500;
const VIDEO_FRAME_MS = 1_000 / 30;
const AUDIO_FRAME_SAMPLES = 960;
const CHROMIUM = 0;
const FIREFOX = 1;

const isFirefox = (client: number): boolean => client === FIREFOX;
/** Of one client alone. */
const of = (windows: readonly MoveWindow[], client: number): MoveWindow[] =>
  windows.map((window) => ({ ...window, clients: window.clients.filter((_, number) => number === client) }));

describe('a Firefox and a Chromium in a call that moves to and fro between two nodes', () => {
  let scene: Scene<TestPage>;
  let capture: Capture;
  const windows: MoveWindow[] = [];

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
      windows.length = 0;
      for (let round = 0; round < MOVES; round++) {
        windows.push(await measureMove(scene, 'sham', WINDOW_MS));
        windows.push(await measureMove(scene, 'move', WINDOW_MS));
      }
      print(windows);
      const shams = windows.filter(({ kind }) => kind === 'sham');
      const moves = windows.filter(({ kind }) => kind === 'move');
      for (const { migration } of windows)
        expect(migration.status, JSON.stringify(migration)).toBe('completed');
      expect(sum(all(shams, 'freezes')), 'VOID: the shams freeze, this machine cannot tell').toBe(0);
      for (const figure of ['lost', 'plisSent', 'plisReceived', 'keyFrames', 'freezes'] as const) {
        expect(sum(all(moves, figure)), figure).toBe(0);
      }
      for (const client of [CHROMIUM, FIREFOX]) {
        const worst = (kind: MoveWindow[], figure: 'concealed' | 'gapMs'): number =>
          max(all(of(kind, client), figure));
        expect(worst(moves, 'concealed')).toBeLessThanOrEqual(
          worst(shams, 'concealed') + AUDIO_FRAME_SAMPLES,
        );
        expect(worst(moves, 'gapMs')).toBeLessThanOrEqual(worst(shams, 'gapMs') + VIDEO_FRAME_MS);
      }
    },
  );

  it('has both transports at the target after each move, and where they were after each sham', () => {
    let before: string | null = null;
    for (const { kind, owners, migration } of windows) {
      const nodes = new Set(owners.values());
      expect(nodes.size, JSON.stringify(migration)).toBe(1);
      const [node = ''] = nodes;
      if (kind === 'sham' && before !== null) expect(node).toBe(before);
      if (kind === 'move') expect(node).not.toBe(before);
      before = node;
    }
    expect(windows).toHaveLength(MOVES * 2);
  });

  it('keeps the ids of connections and streams', async () => {
    const { api, joined, sessionId } = scene;
    const session = (await api.admin(`sessions/${sessionId}`)) as unknown as {
      connections: { connectionId: string }[];
      streams: { id?: string; streamId?: string }[];
    };
    expect(session.connections.map(({ connectionId }) => connectionId).sort()).toEqual(
      joined.map(({ connectionId }) => connectionId).sort(),
    );
    expect(session.streams.map(({ id, streamId }) => id ?? streamId).sort()).toEqual(
      joined.map(({ streamId }) => streamId).sort(),
    );
  });

  it('made no new DTLS handshake and used no nonce twice', { timeout: 120_000 }, async () => {
    const { datagrams, dropped } = await capture.finish();
    expect(dropped).toBe(0);
    const sent = fromServers(datagrams);
    expect(sent.filter(({ payload }) => payload[0] === 22)).toHaveLength(0);
    const audit = auditNonces(sent, () => 'any');
    process.stdout.write(
      `nonce audit: ${audit.packets} packets in ${audit.streams} streams, ` +
        `${audit.identicalRepeats} identical repeats, ${audit.violations.length} violations\n`,
    );
    expect(audit.packets).toBeGreaterThan(1_000 * MOVES);
    expect(audit.violations).toEqual([]);
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
