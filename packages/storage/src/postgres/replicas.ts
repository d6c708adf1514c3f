import { Client } from 'pg';
import { StorageError } from '../errors.js';
import {
  POSTGRES_CONNECT_TIMEOUT_MS,
  REPLICA_BEAT_MS,
  REPLICA_LEASE_MARGIN_MS,
  REPLICA_LEASE_MS,
  REPLICA_STATEMENT_TIMEOUT_MS,
} from '../limits.js';
import type { Membership } from '../membership.js';
import type { ReplicaRecord } from '../records.js';
import { refuse } from './unavailable.js';

/** Advisory lock of the leader: "godwit" in ASCII. */
const LEADER_KEY = '113668816791924';
/** What is told here is looked for at every beat, too: a lost word costs one beat. */
const CHANNEL = 'godwit_replicas';

export interface JoinOptions {
  readonly url: string;
  readonly replicaId: string;
  readonly startedAtMs: number;
  /** Equal for controls with the same secrets; says nothing of them. */
  readonly fingerprint: string;
  /** The list of the living has changed. */
  readonly onChange: () => void;
  /** Others have taken this control for dead, once: it keeps nothing any more. */
  readonly onLost: () => void;
  /** Monotonic, milliseconds. */
  readonly clockMs?: () => number;
}

/**
 * Joins the controls of a database whose schema is up to date. A replica is a row with a lease in the database's own time. Who has
 * stopped renewing is removed by the others, and with the row, in one transaction, goes everything that it kept; it can
 * never renew again. Errors: unavailable, otherSecrets.
 */
export async function joinReplicas(options: JoinOptions): Promise<Membership> {
  const replica = new Replica(options);
  await replica.join();
  return replica;
}

class Replica implements Membership {
  readonly replicaId: string;
  readonly isAlone = false;
  readonly #options: JoinOptions;
  readonly #clockMs: () => number;
  #client: Client | null = null;
  #replicas: readonly ReplicaRecord[] = [];
  #isLeader = false;
  #hasLeft = false;
  #isLost = false;
  /** By our own clock, from before the renewal was asked for: never later than the database has it. */
  #leaseFromMs = Number.NEGATIVE_INFINITY;
  #leaseFromWallMs = Number.NEGATIVE_INFINITY;
  /** Since when renewals have succeeded without a gap. */
  #steadySinceMs = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> = Promise.resolve();
  #url: string | null = null;
  #isBeating = false;
  #isHinted = false;

  constructor(options: JoinOptions) {
    this.#options = options;
    this.replicaId = options.replicaId;
    this.#clockMs = options.clockMs ?? (() => performance.now());
  }

  replicas(): readonly ReplicaRecord[] {
    return this.#replicas;
  }
  isLeader(): boolean {
    return this.#isLeader && !this.#hasLeft && this.isSure();
  }
  isSure(): boolean {
    // A machine that was suspended finds its monotonic clock where it was.
    const heldMs = Math.max(this.#clockMs() - this.#leaseFromMs, Date.now() - this.#leaseFromWallMs);
    if (this.#isLost) return false;
    // Who has left keeps nothing that could be written wrongly.
    return this.#hasLeft || heldMs < REPLICA_LEASE_MS - REPLICA_LEASE_MARGIN_MS;
  }

  async join(): Promise<void> {
    const { replicaId, startedAtMs, fingerprint } = this.#options;
    const client = await this.#connect();
    const { rows } = await client.query<{ fingerprint: string }>(
      'select distinct fingerprint from replicas where lease_until > clock_timestamp()',
    );
    if (rows.some((row) => row.fingerprint !== fingerprint)) {
      await client.end().catch(() => undefined);
      throw new StorageError(
        'otherSecrets',
        'Another control on this database has other secrets. Give all of them the same GODWIT_API_SECRET, GODWIT_ADMIN_TOKEN, GODWIT_JOIN_KEY and GODWIT_STORAGE_KEY.',
      );
    }
    const askedAtMs = this.#clockMs();
    this.#leaseFromWallMs = Date.now();
    await client.query(
      `insert into replicas (replica_id, url, fingerprint, started_at_ms, lease_until)
       values ($1, null, $2, $3, clock_timestamp() + $4 * interval '1 millisecond')`,
      [replicaId, fingerprint, startedAtMs, REPLICA_LEASE_MS],
    );
    this.#leaseFromMs = askedAtMs;
    this.#steadySinceMs = askedAtMs;
    await this.#look(client);
    this.#schedule();
  }

  async announce(url: string): Promise<void> {
    this.#url = url;
    this.#hint();
    await this.#beating;
    // Lost, it costs the others one beat; while the database is away, the next beat tells.
    await this.#client?.query(`notify ${CHANNEL}`).catch(() => undefined);
  }

  async leave(): Promise<void> {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    clearTimeout(this.#timer);
    await this.#beating;
    this.#replicas = this.#replicas.filter(({ replicaId }) => replicaId !== this.replicaId);
    const client = this.#client;
    this.#client = null;
    if (client === null) return;
    try {
      await client.query('delete from replicas where replica_id = $1', [this.replicaId]);
      await client.query(`notify ${CHANNEL}`);
    } catch {
      // Its lease ends by itself.
    }
    await client.end().catch(() => undefined);
  }

  #schedule(): void {
    this.#timer = setTimeout(() => this.#hint(), REPLICA_BEAT_MS);
    this.#timer.unref();
  }

  /** A beat now, or once more when one is under way: it may have looked already. */
  #hint(): void {
    clearTimeout(this.#timer);
    if (this.#hasLeft || this.#isLost) return;
    this.#isHinted = true;
    if (this.#isBeating) return;
    this.#isBeating = true;
    this.#beating = this.#beatWhileHinted().finally(() => {
      this.#isBeating = false;
      if (!this.#hasLeft && !this.#isLost) this.#schedule();
    });
  }

  async #beatWhileHinted(): Promise<void> {
    while (this.#isHinted && !this.#hasLeft && !this.#isLost) {
      this.#isHinted = false;
      await this.#beat();
    }
  }

  async #beat(): Promise<void> {
    try {
      const client = this.#client ?? (await this.#connect());
      const askedAtMs = this.#clockMs();
      const askedAtWallMs = Date.now();
      const { rowCount } = await client.query(
        `update replicas set lease_until = clock_timestamp() + $2 * interval '1 millisecond', url = coalesce($3, url)
         where replica_id = $1`,
        [this.replicaId, REPLICA_LEASE_MS, this.#url],
      );
      if (rowCount === 0) return this.#lose();
      // A beat was missed: the database may have been away for the others, too.
      if (askedAtMs - this.#leaseFromMs > 2 * REPLICA_BEAT_MS) this.#steadySinceMs = askedAtMs;
      this.#leaseFromMs = askedAtMs;
      this.#leaseFromWallMs = askedAtWallMs;
      await this.#removeSilent(client);
      await this.#lead(client);
      await this.#look(client);
    } catch {
      this.#drop();
    }
  }

  /** Whoever has just found the database again gives the others the time to do so, too. */
  async #removeSilent(client: Client): Promise<void> {
    if (this.#leaseFromMs - this.#steadySinceMs < REPLICA_LEASE_MS) return;
    const { rowCount } = await client.query(
      'delete from replicas where lease_until < clock_timestamp() and replica_id <> $1',
      [this.replicaId],
    );
    if (rowCount !== null && rowCount > 0) await client.query(`notify ${CHANNEL}`);
  }

  /** The lock goes with the connection, and so does the lead. */
  async #lead(client: Client): Promise<void> {
    if (this.#isLeader) return;
    const { rows } = await client.query<{ ours: boolean }>('select pg_try_advisory_lock($1) as ours', [
      LEADER_KEY,
    ]);
    this.#isLeader = rows[0]?.ours === true;
  }

  async #look(client: Client): Promise<void> {
    const { rows } = await client.query<{ replica_id: string; url: string | null; started_at_ms: string }>(
      'select replica_id, url, started_at_ms from replicas order by started_at_ms, replica_id',
    );
    const before = JSON.stringify(this.#replicas);
    this.#replicas = rows.map((row) => ({
      replicaId: row.replica_id,
      url: row.url,
      startedAtMs: Number(row.started_at_ms),
    }));
    if (JSON.stringify(this.#replicas) !== before) this.#options.onChange();
  }

  async #connect(): Promise<Client> {
    const client = new Client({
      connectionString: this.#options.url,
      connectionTimeoutMillis: POSTGRES_CONNECT_TIMEOUT_MS,
      query_timeout: REPLICA_STATEMENT_TIMEOUT_MS,
      keepAlive: true,
      application_name: 'godwit replica',
    });
    client.on('error', () => undefined);
    client.on('notification', () => this.#hint());
    client.on('end', () => this.#drop(client));
    try {
      await client.connect();
      // The server notices within seconds that the host of a leader is gone.
      for (const [name, value] of SERVER_KEEPALIVES) await client.query(`set ${name} = ${value}`);
      await client.query(`listen ${CHANNEL}`);
    } catch (error) {
      await client.end().catch(() => undefined);
      refuse(error);
    }
    this.#client = client;
    return client;
  }

  /** The next beat connects anew. */
  #drop(client: Client | null = this.#client): void {
    if (client === null || this.#client !== client) return;
    this.#client = null;
    this.#isLeader = false;
    void client.end().catch(() => undefined);
  }

  #lose(): void {
    this.#isLost = true;
    this.#drop();
    this.#options.onLost();
  }
}

/** A silent peer is given up after 5 + 3 × 2 s. Over a socket in the file system they mean nothing and do no harm. */
const SERVER_KEEPALIVES = [
  ['tcp_keepalives_idle', 5],
  ['tcp_keepalives_interval', 2],
  ['tcp_keepalives_count', 3],
] as const;
