import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditNonces } from '@godwit/testing';
import type { Migration } from './support/call.js';
import { Capture, fromServers } from './support/environment.js';
import { migrate, openScene, sleep, totals, type Scene } from './support/scene.js';

/** Real moves, each after a sham: everything but the transfer. */
const MOVES = Number(process.env['GODWIT_E2E_MOVES'] ?? 20);
const CLIENTS = 3;
/** Every window is as long, so that what machines do by themselves shows in both kinds alike. */
const WINDOW_MS = 3_500;
const VIDEO_FRAME_MS = 1_000 / 30;
const AUDIO_FRAME_SAMPLES = 960;

interface Window {
  readonly kind: 'move' | 'sham';
  readonly migration: Migration;
  readonly lost: number;
  readonly plis: number;
  /** Beyond the encoders' periodic ones. */
  readonly keyFrames: number;
  readonly periodicKeyFrames: number;
  readonly freezes: number;
  readonly concealed: number;
  readonly gapMs: number;
  readonly owners: Map<string, string>;
}

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
const max = (values: number[]): number => Math.max(0, ...values);

describe('three people in a call that moves to and fro between two nodes', () => {
  let scene: Scene;
  let capture: Capture;
  const windows: Window[] = [];

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

  async function measure(kind: Window['kind']): Promise<Window> {
    const { api, pages, sessionId } = scene;
    const before = await totals(pages);
    const starts = await Promise.all(pages.map(({ page }) => page.evaluate(() => performance.now())));
    const startedAt = Date.now();
    const migration = await migrate(scene, { rehearsal: kind === 'sham' });
    const owners = await api.owners(sessionId);
    await sleep(Math.max(0, startedAt + WINDOW_MS - Date.now()));
    const gaps = await Promise.all(
      pages.map(({ page }, number) =>
        page.evaluate(([from, length]) => Object.values(window.call.frameGaps(from, from + length)), [
          starts[number] ?? 0,
          WINDOW_MS,
        ] as const),
      ),
    );
    const after = await totals(pages);
    const grown = (key: string): number => (after[key] ?? 0) - (before[key] ?? 0);
    return {
      kind,
      migration,
      owners,
      lost: grown('audio.packetsLost') + grown('video.packetsLost'),
      plis: grown('video.pliCount') + grown('sent.pliCount'),
      // Each publisher's periodic key frames reach every other client; all others somebody must have needed.
      keyFrames: Math.max(0, grown('video.keyFramesDecoded') - grown('periodicKeyFrames') * (CLIENTS - 1)),
      periodicKeyFrames: grown('periodicKeyFrames'),
      freezes: grown('video.freezeCount'),
      concealed: grown('audio.concealedSamples'),
      gapMs: max(gaps.flat()),
    };
  }

  it(
    'loses no packet, freezes no frame and needs no key frame',
    { timeout: 60_000 + MOVES * 2 * 15_000, retry: 2 },
    async () => {
      windows.length = 0;
      for (let round = 0; round < MOVES; round++) {
        windows.push(await measure('sham'));
        windows.push(await measure('move'));
      }
      print(windows);
      const shams = windows.filter(({ kind }) => kind === 'sham');
      const moves = windows.filter(({ kind }) => kind === 'move');
      expect(shams.map(({ migration }) => migration.status)).toEqual(shams.map(() => 'completed'));
      expect(moves.map(({ migration }) => migration.status)).toEqual(moves.map(() => 'completed'));
      expect(
        sum(shams.map(({ freezes }) => freezes)),
        'VOID: the shams freeze, this machine cannot tell',
      ).toBe(0);
      expect(sum(moves.map(({ lost }) => lost))).toBe(0);
      expect(sum(moves.map(({ plis }) => plis))).toBe(0);
      expect(sum(moves.map(({ keyFrames }) => keyFrames))).toBe(0);
      expect(sum(moves.map(({ freezes }) => freezes))).toBe(0);
      expect(max(moves.map(({ concealed }) => concealed))).toBeLessThanOrEqual(
        max(shams.map(({ concealed }) => concealed)) + AUDIO_FRAME_SAMPLES,
      );
      expect(max(moves.map(({ gapMs }) => gapMs))).toBeLessThanOrEqual(
        max(shams.map(({ gapMs }) => gapMs)) + VIDEO_FRAME_MS,
      );
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

function print(windows: readonly Window[]): void {
  const line = (kind: Window['kind']): string => {
    const of = windows.filter((window) => window.kind === kind);
    const gaps = of.map(({ gapMs }) => gapMs).sort((a, b) => a - b);
    const at = (share: number): string => (gaps[Math.floor((gaps.length - 1) * share)] ?? 0).toFixed(1);
    return [
      `${String(of.length).padStart(3)} ${kind}s:`,
      `lost ${sum(of.map(({ lost }) => lost))}`,
      `PLIs ${sum(of.map(({ plis }) => plis))}`,
      `key frames ${sum(of.map(({ keyFrames }) => keyFrames))}`,
      `(periodic ${sum(of.map(({ periodicKeyFrames }) => periodicKeyFrames))})`,
      `freezes ${sum(of.map(({ freezes }) => freezes))}`,
      `concealed samples max ${max(of.map(({ concealed }) => concealed))} sum ${sum(of.map(({ concealed }) => concealed))}`,
      `frame gap p50 ${at(0.5)} p95 ${at(0.95)} max ${at(1)} ms`,
    ].join(', ');
  };
  process.stdout.write(`\n${line('sham')}\n${line('move')}\n`);
}
