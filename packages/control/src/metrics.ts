import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What `/metrics` shows. Label values are bounded: names of our own enumerations, never ids. */
export interface Metrics {
  readonly registry: Registry;
  readonly connections: Gauge;
  readonly sessions: Gauge;
  readonly streams: Gauge;
  readonly nodes: Gauge<'state'>;
  readonly moves: Counter<'outcome' | 'failure'>;
  readonly gapMs: Histogram;
  readonly transferMs: Histogram;
  readonly lossMs: Histogram;
  readonly refusedMessages: Counter<'reason'>;
  readonly restRefused: Counter<'reason'>;
  readonly migrations: Counter<'status'>;
  readonly callbacks: Counter<'outcome'>;
  readonly held: Gauge<'kind'>;
}

const GAP_BUCKETS_MS = [17, 34, 50, 67, 100, 150, 250, 500, 1_000, 2_500, 5_000];
const LOSS_BUCKETS_MS = [500, 1_000, 2_000, 3_000, 5_000, 10_000, 20_000, 30_000];
const TRANSFER_BUCKETS_MS = [0.5, 1, 2, 5, 10, 25, 50, 100, 500];

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  return {
    registry,
    sessions: new Gauge({
      name: 'godwit_sessions',
      help: 'Sessions with at least one connection',
      registers,
    }),
    connections: new Gauge({ name: 'godwit_connections', help: 'Clients in a session', registers }),
    streams: new Gauge({ name: 'godwit_streams', help: 'Published streams', registers }),
    nodes: new Gauge({
      name: 'godwit_nodes',
      help: 'Media nodes by state',
      labelNames: ['state'],
      registers,
    }),
    moves: new Counter({
      name: 'godwit_moves_total',
      help: 'Moves of one transport by outcome',
      labelNames: ['outcome', 'failure'],
      registers,
    }),
    gapMs: new Histogram({
      name: 'godwit_move_gap_milliseconds',
      help: 'Largest gap between presented frames around a move, as the client measured it',
      buckets: GAP_BUCKETS_MS,
      registers,
    }),
    transferMs: new Histogram({
      name: 'godwit_move_transfer_milliseconds',
      help: 'Freeze at the source to acceptance by the target, as the source measured it',
      buckets: TRANSFER_BUCKETS_MS,
      registers,
    }),
    lossMs: new Histogram({
      name: 'godwit_transport_loss_milliseconds',
      help: 'Time without anything from the platform when a transport died with its node, as the client measured it',
      buckets: LOSS_BUCKETS_MS,
      registers,
    }),
    ...refusals(registers),
    migrations: new Counter({
      name: 'godwit_migrations_total',
      help: 'Migrations of sessions by final status',
      labelNames: ['status'],
      registers,
    }),
    callbacks: new Counter({
      name: 'godwit_callbacks_total',
      help: 'Callbacks by outcome: attempts to deliver, and those that were dropped, crowded out or forgotten',
      labelNames: ['outcome'],
      registers,
    }),
    held: new Gauge({
      name: 'godwit_control_held',
      help: 'What control holds in memory now; each kind is bounded, and one that grows without load is a leak',
      labelNames: ['kind'],
      registers,
    }),
  };
}

function refusals(registers: Registry[]): Pick<Metrics, 'refusedMessages' | 'restRefused'> {
  return {
    refusedMessages: new Counter({
      name: 'godwit_signalling_refused_total',
      help: 'Signalling messages that were refused before they were understood',
      labelNames: ['reason'],
      registers,
    }),
    restRefused: new Counter({
      name: 'godwit_rest_refused_total',
      help: 'REST and admin requests that were refused because there were too many, by what was counted',
      labelNames: ['reason'],
      registers,
    }),
  };
}
