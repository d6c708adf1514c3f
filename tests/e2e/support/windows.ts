import type { MigrationReply, TestPage } from '@godwit/testing';
import type { CallPage } from './call.js';
import { migrate, sleep, type Scene } from './scene.js';

/** What one client received in a window, by its own counters (webrtc-stats) and its frame callbacks. */
export interface ClientFigures {
  readonly lost: number;
  /** Sent by it for what it receives. */
  readonly plisSent: number;
  /** Received by it for what it publishes. */
  readonly plisReceived: number;
  /** Decoded, beyond the encoder's periodic ones. */
  readonly keyFrames: number;
  readonly periodicKeyFrames: number;
  readonly freezes: number;
  readonly concealed: number;
  /** Largest time between two presented frames of one video (requestVideoFrameCallback). */
  readonly gapMs: number;
}

/** A real move, or a sham: everything but the transfer. */
export interface MoveWindow {
  readonly kind: 'move' | 'sham';
  readonly migration: MigrationReply;
  /** Node by connection, right after the migration. */
  readonly owners: Map<string, string>;
  /** By client number. */
  readonly clients: readonly ClientFigures[];
}

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
export const max = (values: readonly number[]): number => Math.max(0, ...values);
/** One figure of all clients in all windows. */
export const all = (windows: readonly MoveWindow[], figure: keyof ClientFigures): number[] =>
  windows.flatMap(({ clients }) => clients.map((client) => client[figure]));
/** The windows as one client alone saw them; as all did without a number. */
export const ofClient = (windows: readonly MoveWindow[], client?: number): MoveWindow[] =>
  windows.map((window) => ({
    ...window,
    clients: window.clients.filter((_, number) => client === undefined || number === client),
  }));
/** The worst window: the largest gap of any client, or the samples that all of them concealed. */
export const largest = (windows: readonly MoveWindow[], figure: 'gapMs' | 'concealed'): number =>
  max(windows.map((window) => (figure === 'gapMs' ? max : sum)(all([window], figure))));

/** Measures shams and moves in turns. */
export async function measurePairs(
  scene: Scene<TestPage>,
  pairs: number,
  windowMs: number,
): Promise<MoveWindow[]> {
  const windows: MoveWindow[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    windows.push(await measureMove(scene, 'sham', windowMs));
    windows.push(await measureMove(scene, 'move', windowMs));
  }
  return windows;
}

/** Migrates the session and measures what its clients see from the request on, `windowMs` long whatever happens. */
async function measureMove(
  scene: Scene<TestPage>,
  kind: MoveWindow['kind'],
  windowMs: number,
): Promise<MoveWindow> {
  const { api, pages, sessionId } = scene;
  const starts = await Promise.all(pages.map(startWindow));
  const startedAt = Date.now();
  const migration = await migrate(scene, { rehearsal: kind === 'sham' });
  const owners = await api.owners(sessionId);
  await sleep(Math.max(0, startedAt + windowMs - Date.now()));
  const clients = await Promise.all(
    pages.map((page, number) => endWindow(page, starts[number] ?? { atMs: 0, counters: {} }, windowMs)),
  );
  return { kind, migration, owners, clients };
}

interface WindowStart {
  readonly atMs: number;
  readonly counters: Record<string, number | string>;
}

function startWindow({ page }: CallPage<TestPage>): Promise<WindowStart> {
  return page.evaluate(async () => {
    const counters = await window.call.counters();
    return { atMs: performance.now(), counters };
  });
}

async function endWindow(
  { page }: CallPage<TestPage>,
  start: WindowStart,
  windowMs: number,
): Promise<ClientFigures> {
  const { gaps, counters } = await page.evaluate(
    async ([fromMs, lengthMs]) => ({
      gaps: Object.values(window.call.frameGaps(fromMs, fromMs + lengthMs)),
      counters: await window.call.counters(),
    }),
    [start.atMs, windowMs] as const,
  );
  const grown = (key: string): number => Number(counters[key] ?? 0) - Number(start.counters[key] ?? 0);
  const periodicKeyFrames = grown('video.periodicKeyFrames');
  return {
    lost: grown('audio.packetsLost') + grown('video.packetsLost'),
    plisSent: grown('video.pliCount'),
    plisReceived: grown('sent.pliCount'),
    keyFrames: Math.max(0, grown('video.keyFramesDecoded') - periodicKeyFrames),
    periodicKeyFrames,
    freezes: grown('video.freezeCount'),
    concealed: grown('audio.concealedSamples'),
    // A video that stood still for the whole window has no two frames in it.
    gapMs: gaps.length === 0 ? windowMs : max(gaps),
  };
}

/** One line of the clients' figures in all windows of a kind; `client`: of one client alone. */
export function describeWindows(
  windows: readonly MoveWindow[],
  kind: MoveWindow['kind'],
  client?: number,
): string {
  const of = ofClient(windows, client).filter((window) => window.kind === kind);
  const total = (figure: keyof ClientFigures): number => sum(all(of, figure));
  const gaps = of.map((window) => largest([window], 'gapMs')).sort((a, b) => a - b);
  const at = (share: number): string => (gaps[Math.floor((gaps.length - 1) * share)] ?? 0).toFixed(1);
  return [
    `${String(of.length).padStart(3)} ${kind}s: lost ${total('lost')}`,
    `PLIs ${total('plisSent') + total('plisReceived')}`,
    `key frames ${total('keyFrames')} (periodic ${total('periodicKeyFrames')})`,
    `freezes ${total('freezes')}`,
    `concealed samples max ${largest(of, 'concealed')} sum ${total('concealed')}`,
    `frame gap p50 ${at(0.5)} p95 ${at(0.95)} max ${at(1)} ms`,
  ].join(', ');
}
