import { setTimeout as delay } from 'node:timers/promises';
import { ControlClient } from '../control-client.js';
import { CliError } from '../errors.js';
import { printJson, printTable } from '../output.js';
import { followMigration, type Migration } from './follow-migration.js';

export interface MigrateOptions {
  /** Without it control picks the least loaded other node. */
  readonly target?: string;
  readonly wait: boolean;
  readonly rehearsal: boolean;
  readonly json: boolean;
}

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
      `the migration ${migration.status}; the call goes on, with each connection where it is now.`,
    );
  }
}

function follow(client: ControlClient, started: Migration, silent: boolean): Promise<Migration> {
  return followMigration(started, {
    ask: async () => (await client.session('GET', started.sessionId, `migrate/${started.id}`)) as Migration,
    now: () => performance.now(),
    wait: delay,
    say: (line) => {
      if (!silent) console.log(line);
    },
  });
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
      gap.ms === null || gap.source === 'none' ? 'not measured' : `${Math.round(gap.ms)} ms (${gap.source})`,
    ]),
  );
}
