import { clockMs, type PlatformApi } from '@godwit/testing';
import type { CpuMeter } from '../load/cpu-meter.js';
import { kernelDrops } from '../load/kernel-drops.js';
import type { LoadTotals, SessionLoad } from '../load/session-load.js';
import { gapsOf, moveWindows, shamWindows, type MoveWindow, type WindowGaps } from './windows.js';

/** A loss is one only when a late packet could not have come any more: the receivers' own settle time is 2 s. */
const SETTLE_MS = 2_500;
/** A drain that takes longer has failed. */
const DRAIN_TIMEOUT_MS = 120_000;
const POLL_MS = 20;

export interface PhaseResult {
  readonly name: string;
  /** Transports that moved, and that should have. */
  readonly moved: number;
  readonly wanted: number;
  /** From the request until the last client was told that its move had ended. */
  readonly durationMs: number;
  readonly windows: readonly MoveWindow[];
  readonly gaps: WindowGaps;
  /** The same windows in the quiet stretch before. */
  readonly shamGaps: WindowGaps;
  readonly lost: number;
  /** Of all sockets on the machine, from the quiet stretch on. */
  readonly kernelDrops: number;
  readonly copies: number;
  readonly reusedNonces: number;
  readonly unauthentic: number;
  readonly packets: number;
  /** Share of one core, by process. */
  readonly cpu: Readonly<Record<string, number>>;
  readonly quietCpu: Readonly<Record<string, number>>;
  /** Packets a second that all receivers got in the quiet stretch. */
  readonly quietPacketsPerSecond: number;
}

export interface PhaseInit {
  readonly name: string;
  readonly load: SessionLoad;
  readonly cpu: CpuMeter;
  readonly quietMs: number;
  /** What a transport's move ends with: "completed", or "rehearsed". */
  readonly outcome: 'completed' | 'rehearsed';
  /** Begins it; resolves at once. */
  begin(): Promise<void>;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A quiet stretch, then the moves; measures both in the same way. */
export async function runPhase(init: PhaseInit): Promise<PhaseResult> {
  const { load, cpu, name } = init;
  await sleep(SETTLE_MS);
  const before = load.totals();
  const dropsBefore = kernelDrops();
  const quietFromMs = clockMs();
  await sleep(init.quietMs);
  const quietToMs = clockMs();
  const quietPackets = load.totals().packets - before.packets;
  const quietCpu = cpu.shares(quietFromMs, quietToMs);
  const startMs = clockMs();
  await init.begin();
  await movesEnded(load, startMs);
  const endMs = Math.max(startMs, ...load.peers.map((peer) => peer.moves.at(-1)?.endedMs ?? 0));
  const drainCpu = cpu.shares(startMs, endMs);
  await sleep(SETTLE_MS);
  const after = load.totals();
  const windows = moveWindows(load, startMs);
  const moved = load.peers.filter(({ moves }) =>
    moves.some((move) => move.toldMs >= startMs && move.outcome === init.outcome),
  );
  const grown = (key: keyof LoadTotals): number => after[key] - before[key];
  return {
    name,
    moved: moved.length,
    wanted: load.peers.length,
    durationMs: endMs - startMs,
    windows,
    gaps: gapsOf(windows),
    shamGaps: gapsOf(shamWindows(windows, quietFromMs, quietToMs)),
    lost: grown('lost') + after.missing,
    kernelDrops: kernelDrops() - dropsBefore,
    copies: grown('copies'),
    reusedNonces: grown('reusedNonces'),
    unauthentic: grown('unauthentic'),
    packets: grown('packets'),
    cpu: drainCpu,
    quietCpu,
    quietPacketsPerSecond: (quietPackets * 1_000) / (quietToMs - quietFromMs),
  };
}

async function movesEnded(load: SessionLoad, sinceMs: number): Promise<void> {
  const isDone = (): boolean =>
    load.peers.every(
      ({ moves, isLost }) => isLost || moves.some((move) => move.toldMs >= sinceMs && move.endedMs !== null),
    );
  while (!isDone() && clockMs() - sinceMs < DRAIN_TIMEOUT_MS) await sleep(POLL_MS);
}

/** Every session at once, each by one request of the Migrate Session API. */
export async function migrateAll(
  api: PlatformApi,
  load: SessionLoad,
  target: string,
  rehearsal: boolean,
): Promise<{ readonly sessionId: string; readonly migrationId: string }[]> {
  return Promise.all(
    load.sessions.map(async ({ sessionId }) => {
      const { status, body } = await api.migrate(sessionId, { target, ...(rehearsal ? { rehearsal } : {}) });
      if (status !== 200) throw new Error(`migrate: ${status} ${JSON.stringify(body)}`);
      return { sessionId, migrationId: String(body['id']) };
    }),
  );
}
