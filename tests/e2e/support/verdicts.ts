import { expect } from 'vitest';
import { auditNonces, medianExcess, pairsOf, type TestPage } from '@godwit/testing';
import { fromServers, type Capture } from './environment.js';
import type { Scene } from './scene.js';
import { all, largest, ofClient, sum, type MoveWindow } from './windows.js';

/** By how much a move may exceed its sham: what a client shows or plays at a time. */
const ONE_FRAME = { gapMs: 1_000 / 30, concealed: 960 } as const;
const FIGURES = ['gapMs', 'concealed'] as const;
/** Only a proof (scripts/proof.mjs) has so many windows, on a machine that does nothing else, that their maxima say something. */
const IS_PROOF = process.env['GODWIT_E2E_PROOFS'] !== undefined;
/** DTLS content type of a handshake message. */
const DTLS_HANDSHAKE = 22;

const isSham = ({ kind }: MoveWindow): boolean => kind === 'sham';

/** No move lost or repaired anything that a client could notice. Void when shams freeze. */
export function expectUndisturbed(windows: readonly MoveWindow[]): void {
  for (const { migration } of windows) expect(migration.status, JSON.stringify(migration)).toBe('completed');
  const shams = windows.filter(isSham);
  const moves = windows.filter((window) => !isSham(window));
  expect(sum(all(shams, 'freezes')), 'VOID: the shams freeze, this machine cannot tell').toBe(0);
  for (const figure of ['lost', 'plisSent', 'plisReceived', 'keyFrames', 'freezes'] as const)
    expect(sum(all(moves, figure)), figure).toBe(0);
}

/** Moves stop pictures and sound for no more than one frame longer than shams; `client`: for one client alone. */
export function expectAsShams(windows: readonly MoveWindow[], client?: number): void {
  const seen = ofClient(windows, client);
  for (const figure of FIGURES) {
    const excess = medianExcess(pairsOf(seen, isSham, (window) => largest([window], figure)));
    const name = `${figure}${client === undefined ? '' : ` of client ${client + 1}`}`;
    expect(excess, `${name}: median of move minus sham`).toBeLessThanOrEqual(ONE_FRAME[figure]);
    if (!IS_PROOF) continue;
    const moves = seen.filter((window) => !isSham(window));
    expect(largest(moves, figure), `${name}: the worst of all moves`).toBeLessThanOrEqual(
      largest(seen.filter(isSham), figure) + ONE_FRAME[figure],
    );
  }
}

/** After each move every transport is on the other node, after each sham where it was. */
export function expectOwnersToFollow(windows: readonly MoveWindow[], count: number): void {
  let before: string | null = null;
  for (const { kind, owners, migration } of windows) {
    const nodes = new Set(owners.values());
    expect(nodes.size, JSON.stringify(migration)).toBe(1);
    const [node = ''] = nodes;
    if (kind === 'sham' && before !== null) expect(node).toBe(before);
    if (kind === 'move') expect(node).not.toBe(before);
    before = node;
  }
  expect(windows).toHaveLength(count);
}

/** The roster has the connections and streams that joined, under the ids they had then. */
export async function expectIdsKept({ api, joined, sessionId }: Scene<TestPage>): Promise<void> {
  const { connections, streams } = await api.session(sessionId);
  const sorted = (ids: readonly string[]): string[] => ids.toSorted();
  expect(sorted(connections.map(({ connectionId }) => connectionId))).toEqual(
    sorted(joined.map(({ connectionId }) => connectionId)),
  );
  expect(sorted(streams.map(({ streamId }) => streamId))).toEqual(
    sorted(joined.map(({ streamId }) => streamId)),
  );
}

/** Ends the capture: no node began a DTLS handshake or used a nonce twice in it. */
export async function expectSoundCrypto(capture: Capture, packetsMin: number): Promise<void> {
  const { datagrams, dropped } = await capture.finish();
  expect(dropped).toBe(0);
  const sent = fromServers(datagrams);
  expect(sent.filter(({ payload }) => payload[0] === DTLS_HANDSHAKE)).toHaveLength(0);
  // SSRCs are random per transport, so the SSRC alone names the key; a chance collision could only raise an alarm.
  const audit = auditNonces(sent, () => 'any');
  process.stdout.write(
    `nonce audit: ${audit.packets} packets in ${audit.streams} streams, ` +
      `${audit.identicalRepeats} identical repeats, ${audit.violations.length} violations\n`,
  );
  expect(audit.packets).toBeGreaterThan(packetsMin);
  expect(audit.violations).toEqual([]);
}
