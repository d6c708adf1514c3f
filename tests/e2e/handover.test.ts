import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditNonces } from '@godwit/testing';
import { Capture, fromServers } from './support/environment.js';
import { openScene, sleep, totals, type Scene } from './support/scene.js';
import { all, describeWindows, max, measureMove, sum, type MoveWindow } from './support/windows.js';

/** Real moves, each after a sham: everything but the transfer. */
const MOVES = Number(process.env['GODWIT_E2E_MOVES'] ?? 20);
const CLIENTS = 3;
/** Every window is as long, so that what machines do by themselves shows in both kinds alike. */
const WINDOW_MS = 3_500;
const VIDEO_FRAME_MS = 1_000 / 30;
const AUDIO_FRAME_SAMPLES = 960;

describe('three people in a call that moves to and fro between two nodes', () => {
  let scene: Scene;
  let capture: Capture;
  const windows: MoveWindow[] = [];

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
      windows.length = 0;
      for (let round = 0; round < MOVES; round++) {
        windows.push(await measureMove(scene, 'sham', WINDOW_MS));
        windows.push(await measureMove(scene, 'move', WINDOW_MS));
      }
      process.stdout.write(`\n${describeWindows(windows, 'sham')}\n${describeWindows(windows, 'move')}\n`);
      const shams = windows.filter(({ kind }) => kind === 'sham');
      const moves = windows.filter(({ kind }) => kind === 'move');
      expect(shams.map(({ migration }) => migration.status)).toEqual(shams.map(() => 'completed'));
      expect(moves.map(({ migration }) => migration.status)).toEqual(moves.map(() => 'completed'));
      expect(sum(all(shams, 'freezes')), 'VOID: the shams freeze, this machine cannot tell').toBe(0);
      for (const figure of ['lost', 'plisSent', 'plisReceived', 'keyFrames', 'freezes'] as const) {
        expect(sum(all(moves, figure)), figure).toBe(0);
      }
      const concealed = (windows: readonly MoveWindow[]): number =>
        max(windows.map(({ clients }) => sum(clients.map(({ concealed }) => concealed))));
      expect(concealed(moves)).toBeLessThanOrEqual(concealed(shams) + AUDIO_FRAME_SAMPLES);
      expect(max(all(moves, 'gapMs'))).toBeLessThanOrEqual(max(all(shams, 'gapMs')) + VIDEO_FRAME_MS);
    },
  );

  it('has every transport at the target after each move, and where it was after each sham', () => {
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
    const { datagrams, dropped } = await capture.finish();
    expect(dropped).toBe(0);
    const sent = fromServers(datagrams);
    const handshakes = sent.filter(({ payload }) => payload[0] === 22);
    expect(handshakes).toHaveLength(0);
    // SSRCs are random per transport, so the SSRC alone names the key; a chance collision could only raise an alarm.
    const audit = auditNonces(sent, () => 'any');
    process.stdout.write(
      `nonce audit: ${audit.packets} packets in ${audit.streams} streams, ` +
        `${audit.identicalRepeats} identical repeats, ${audit.violations.length} violations\n`,
    );
    expect(audit.packets).toBeGreaterThan(10_000);
    expect(audit.violations).toEqual([]);
  });
});
