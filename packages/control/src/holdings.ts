import type { ControlContext } from './context.js';
import type { Migrations } from './migration/migrations.js';

/** What control holds in memory now, by name. Every value is bounded; one that grows without load is a leak. */
export function holdingsOf({ roster }: ControlContext, migrations: Migrations): Record<string, number> {
  const connections = roster.connections();
  const transports = connections.flatMap(({ transport }) => (transport === null ? [] : [transport]));
  const sum = <T>(items: readonly T[], size: (item: T) => number): number =>
    items.reduce((total, item) => total + size(item), 0);
  return {
    sessions: roster.sessions().filter((session) => session.connections.size > 0).length,
    sessions_kept: roster.sessions().length,
    signals_kept: sum(roster.sessions(), ({ signals }) => signals.kept),
    connections: connections.length,
    transports: transports.length,
    told_candidates: sum(transports, ({ description }) => description.candidates.length),
    events_kept: sum(connections, ({ channel }) => channel.kept),
    waits_for_the_end: sum(connections, ({ gone }) => gone.waiting),
    migrations_running: migrations.running.migrations,
    moves_running: migrations.running.moves,
  };
}
