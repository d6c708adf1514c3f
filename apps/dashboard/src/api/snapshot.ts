/** What `GET /demo/sessions/{sessionId}` tells, as far as the page shows it. */
export interface Snapshot {
  readonly sessionId: string;
  readonly nodes: readonly NodeRow[];
  readonly connections: readonly ConnectionRow[];
  readonly migrations: readonly Migration[];
}

export interface NodeRow {
  readonly id: string;
  /** `in-service`, `maintenance`, `unreachable`, … as the admin API names it. */
  readonly state: string;
}

export interface ConnectionRow {
  readonly connectionId: string;
  /** Node that owns the transport; null while there is none. */
  readonly nodeId: string | null;
  readonly migratable: boolean;
  readonly epoch: number | null;
}

export type MigrationStatus = 'pending' | 'running' | 'completed' | 'failed' | 'cancelled';

export interface Migration {
  readonly id: string;
  readonly status: MigrationStatus;
  /** Node that everybody is to move to; null until the server has said so. */
  readonly target: string | null;
  readonly progress: { readonly moved: number; readonly total: number };
  readonly connections: readonly MovedConnection[];
}

export interface MovedConnection {
  readonly connectionId: string;
  /** Null while it is still to be moved. */
  readonly outcome: string | null;
  readonly from: string | null;
  readonly to: string | null;
  /** Largest frame gap as reported, ms; null when nobody could measure. */
  readonly gapMs: number | null;
  readonly failure: string | null;
}

/** Reads an answer of the server; null when it is none. Unknown fields are ignored, missing ones have a neutral value. */
export function parseSnapshot(body: unknown): Snapshot | null {
  if (!isRecord(body) || typeof body.sessionId !== 'string') return null;
  return {
    sessionId: body.sessionId,
    nodes: list(body.nodes, parseNode),
    connections: list(body.connections, parseConnection),
    migrations: list(body.migrations, parseMigration),
  };
}

/** Whether a migration has ended, one way or another. */
export function hasEnded(migration: Migration): boolean {
  return migration.status !== 'pending' && migration.status !== 'running';
}

function parseNode(row: Record<string, unknown>): NodeRow | null {
  const id = text(row.id);
  return id === null ? null : { id, state: text(row.state) ?? 'unknown' };
}

function parseConnection(row: Record<string, unknown>): ConnectionRow | null {
  const connectionId = text(row.connectionId);
  if (connectionId === null) return null;
  return {
    connectionId,
    nodeId: text(row.nodeId),
    migratable: row.migratable === true,
    epoch: finite(row.epoch),
  };
}

function parseMigration(row: Record<string, unknown>): Migration | null {
  const id = text(row.id);
  const status = parseStatus(row.status);
  if (id === null || status === null) return null;
  const connections = list(row.connections, parseMoved);
  const progress = isRecord(row.progress) ? row.progress : {};
  return {
    id,
    status,
    target: text(row.target),
    connections,
    progress: {
      moved: finite(progress.moved) ?? connections.filter((one) => one.outcome !== null).length,
      total: finite(progress.total) ?? connections.length,
    },
  };
}

function parseStatus(value: unknown): MigrationStatus | null {
  switch (value) {
    case 'pending':
    case 'running':
    case 'completed':
    case 'failed':
    case 'cancelled':
      return value;
    default:
      return null;
  }
}

function parseMoved(row: Record<string, unknown>): MovedConnection | null {
  const connectionId = text(row.connectionId);
  if (connectionId === null) return null;
  return {
    connectionId,
    outcome: row.outcome === 'running' ? null : text(row.outcome),
    from: text(row.from),
    to: text(row.to),
    gapMs: isRecord(row.gap) ? finite(row.gap.ms) : null,
    failure: text(row.failure),
  };
}

function list<T>(value: unknown, parse: (row: Record<string, unknown>) => T | null): T[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((row: unknown) => {
    const parsed = isRecord(row) ? parse(row) : null;
    return parsed === null ? [] : [parsed];
  });
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function finite(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
