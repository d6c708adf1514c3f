import { setTimeout as delay } from 'node:timers/promises';
import type { MigrationView } from '@godwit/control';
import { ControlClient } from '../control-client.js';
import { CliError } from '../errors.js';
import { MIGRATION_WAIT_MAX_MS, PROGRESS_INTERVAL_MS } from '../limits.js';
import { printJson, printTable } from '../output.js';

export interface MigrateOptions {
  /** Without it control picks the least loaded other node. */
  readonly target?: string;
  readonly wait: boolean;
  readonly rehearsal: boolean;
  readonly json: boolean;
}

/** What the first answer has, and what asking again adds. */
type Migration = Pick<MigrationView, 'id' | 'sessionId' | 'status'> & Partial<MigrationView>;

/** Starts a migration and, with `wait`, follows it to its end. A migration that fails is an error. */
export async function migrate(sessionId: string, options: MigrateOptions): Promise<void> {
  const client = await ControlClient.fromEnvironment(process.env);
  const started = (await client.session('POST', sessionId, 'migrate', {
    ...(options.target === undefined ? {} : { target: options.target }),
    ...(options.rehearsal ? { rehearsal: true } : {}),
  })) as Migration;
  const migration = options.wait ? await follow(client, started, options.json) : started;
  if (options.json) printJson(migration);
  else printMigration(migration);
  if (migration.status === 'failed' || migration.status === 'cancelled') {
    throw new CliError(
      'migrationFailed',
      `the migration ${migration.status}; the session goes on where it is.`,
    );
  }
}

async function follow(client: ControlClient, started: Migration, silent: boolean): Promise<Migration> {
  const deadlineMs = performance.now() + MIGRATION_WAIT_MAX_MS;
  let migration = started;
  let shown = '';
  while (isUnderWay(migration.status) && performance.now() < deadlineMs) {
    await delay(PROGRESS_INTERVAL_MS);
    migration = (await client.session('GET', started.sessionId, `migrate/${started.id}`)) as Migration;
    const { moved, total } = migration.progress ?? { moved: 0, total: 0 };
    const line = `${migration.status}: ${moved} of ${total} connections moved`;
    if (!silent && line !== shown) console.log(line);
    shown = line;
  }
  return migration;
}

function isUnderWay(status: string): boolean {
  return status === 'pending' || status === 'running';
}

function printMigration(migration: Migration): void {
  console.log(`migration ${migration.id} of ${migration.sessionId}: ${migration.status}`);
  if (migration.connections === undefined || migration.connections.length === 0) return;
  printTable(
    ['CONNECTION', 'OUTCOME', 'FROM', 'TO', 'GAP'],
    migration.connections.map(({ connectionId, outcome, from, to, gap, failure }) => [
      connectionId,
      failure === undefined ? outcome : `${outcome} (${failure})`,
      from,
      to,
      gap.ms === null || gap.source === 'none' ? 'not measured' : `${gap.ms} ms (${gap.source})`,
    ]),
  );
}
