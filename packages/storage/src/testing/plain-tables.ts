import type {
  ConnectionRecord,
  Json,
  MigrationRecord,
  MoveRecord,
  NewSignal,
  NodeRecord,
  ReplicaRecord,
  SessionRecord,
  SignalRecord,
  StreamRecord,
  TransportRecord,
} from '../records.js';

/** Every row of the roster, as plain values. Rows are replaced, never changed. */
export interface PlainTables {
  readonly meta: Map<string, string>;
  readonly nodes: Map<string, NodeRecord>;
  readonly sessions: Map<string, SessionRecord>;
  readonly connections: Map<string, ConnectionRecord>;
  readonly streams: Map<string, StreamRecord>;
  readonly transports: Map<string, TransportRecord>;
  readonly migrations: Map<string, MigrationRecord>;
  readonly moves: Map<string, MoveRecord>;
  readonly replicas: Map<string, ReplicaRecord>;
  /** Of sessions that somebody has ever kept. */
  readonly keeping: Map<string, PlainKeeping>;
  /** By session, in order. */
  readonly signals: Map<string, PlainSignal[]>;
}

export interface PlainKeeping {
  readonly replicaId: string | null;
  readonly term: number;
  readonly signals: number;
}
export type PlainSignal = NewSignal & SignalRecord;

export function createPlainTables(): PlainTables {
  return {
    meta: new Map(),
    nodes: new Map(),
    sessions: new Map(),
    connections: new Map(),
    streams: new Map(),
    transports: new Map(),
    migrations: new Map(),
    moves: new Map(),
    replicas: new Map(),
    keeping: new Map(),
    signals: new Map(),
  };
}

export const done = Promise.resolve();
export const answer = <T>(value: T): Promise<T> => Promise.resolve(value);
/** What a database would give back: nobody can change a row by changing what was read. */
export const copyOf = (json: Json): Json => structuredClone(json) as Json;

/** Replaces a row when it is there and `applies`; says whether it was. */
export function change<T extends object>(
  rows: Map<string, T>,
  id: string,
  applies: (row: T) => boolean,
  changes: (row: T) => Partial<T>,
): boolean {
  const row = rows.get(id);
  if (row === undefined || !applies(row)) return false;
  rows.set(id, { ...row, ...changes(row) });
  return true;
}
