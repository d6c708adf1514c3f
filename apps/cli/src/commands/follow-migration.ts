import type { MigrationView } from '@godwit/control';
import { GAP_REPORTS_WAIT_MAX_MS, MIGRATION_WAIT_MAX_MS, PROGRESS_INTERVAL_MS } from '../limits.js';

/** What the first answer has, and what asking again adds. */
export type Migration = Pick<MigrationView, 'id' | 'sessionId' | 'status'> & Partial<MigrationView>;

export interface FollowOptions {
  /** The migration as it is now. */
  readonly ask: () => Promise<Migration>;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  readonly wait: (ms: number) => Promise<unknown>;
  /** A line of progress. */
  readonly say: (line: string) => void;
}

/**
 * Asks until the migration has ended and the pages have reported what they measured: their windows close some
 * seconds after the move. A page that does not report is waited for GAP_REPORTS_WAIT_MAX_MS.
 */
export async function followMigration(started: Migration, options: FollowOptions): Promise<Migration> {
  const { ask, now, wait, say } = options;
  const deadlineMs = now() + MIGRATION_WAIT_MAX_MS;
  let migration = started;
  let endedAtMs: number | null = null;
  let shown = '';
  while (now() < deadlineMs) {
    if (hasEnded(migration)) {
      endedAtMs ??= now();
      if (isMeasured(migration) || now() - endedAtMs >= GAP_REPORTS_WAIT_MAX_MS) break;
    }
    await wait(PROGRESS_INTERVAL_MS);
    migration = await ask();
    const line = describeProgress(migration);
    if (line !== shown) say(line);
    shown = line;
  }
  return migration;
}

function hasEnded({ status }: Migration): boolean {
  return status !== 'pending' && status !== 'running';
}

/** Connections that moved, or rehearsed it, are the ones whose pages report. */
function isMeasured({ connections }: Migration): boolean {
  return (
    connections?.every(
      ({ outcome, gap }) => (outcome !== 'completed' && outcome !== 'rehearsed') || gap.source !== 'none',
    ) ?? false
  );
}

function describeProgress({ status, rehearsal, progress }: Migration): string {
  const { moved, total } = progress ?? { moved: 0, total: 0 };
  return `${status}: ${moved} of ${total} connections ${rehearsal === true ? 'rehearsed' : 'moved'}`;
}
