import { describe, expect, it } from 'vitest';
import { GAP_REPORTS_WAIT_MAX_MS, MIGRATION_WAIT_MAX_MS } from '../limits.js';
import { followMigration, type Migration } from './follow-migration.js';

type Connection = NonNullable<Migration['connections']>[number];

const connection = (outcome: Connection['outcome'], gapMs: number | null = null): Connection => ({
  connectionId: 'c',
  moveId: '00000000000000aa',
  outcome,
  from: 'node-a',
  to: 'node-b',
  gap: gapMs === null ? { ms: null, source: 'none' } : { ms: gapMs, source: 'client' },
});

const migration = (
  status: Migration['status'],
  connections: Connection[],
  moved = connections.length,
): Migration => ({
  id: 'm',
  sessionId: 's',
  status,
  progress: { moved, total: connections.length },
  connections,
});

/** Follows through the given answers, the last of which repeats, in virtual time. */
async function follow(...answers: Migration[]) {
  let nowMs = 0;
  const lines: string[] = [];
  const ended = await followMigration(migration('pending', []), {
    ask: () => Promise.resolve(answers.length > 1 ? answers.shift()! : answers[0]!),
    now: () => nowMs,
    wait: (ms) => Promise.resolve((nowMs += ms)),
    say: (line) => lines.push(line),
  });
  return { ended, lines, tookMs: nowMs };
}

describe('following a migration', () => {
  it('tells each step once and ends with the gaps that the pages reported', async () => {
    const running = migration('running', [connection('running')], 0);
    const { ended, lines } = await follow(
      running,
      running,
      migration('completed', [connection('completed')]),
      migration('completed', [connection('completed')]),
      migration('completed', [connection('completed', 41)]),
    );
    expect(lines).toEqual(['running: 0 of 1 connections moved', 'completed: 1 of 1 connections moved']);
    expect(ended.connections?.[0]?.gap).toEqual({ ms: 41, source: 'client' });
  });

  it('waits for no report of connections that did not move', async () => {
    const { tookMs } = await follow(migration('failed', [connection('failed'), connection('disconnected')]));
    expect(tookMs).toBeLessThan(GAP_REPORTS_WAIT_MAX_MS);
  });

  it('does not wait for ever for a page that is silent', async () => {
    const { ended, tookMs } = await follow(migration('completed', [connection('completed')]));
    expect(ended.status).toBe('completed');
    expect(tookMs).toBeLessThan(GAP_REPORTS_WAIT_MAX_MS + 2_000);
  });

  it('gives a migration that does not end back as it is', async () => {
    const { ended, tookMs } = await follow(migration('running', [connection('running')], 0));
    expect(ended.status).toBe('running');
    expect(tookMs).toBeGreaterThanOrEqual(MIGRATION_WAIT_MAX_MS);
  });
});
