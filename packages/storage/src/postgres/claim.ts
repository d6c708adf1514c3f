import { Client } from 'pg';
import { StorageError } from '../errors.js';
import {
  POSTGRES_CLAIM_BEAT_MS,
  POSTGRES_CLAIM_RETRY_MS,
  POSTGRES_CLAIM_WAIT_MS,
  POSTGRES_CONNECT_TIMEOUT_MS,
} from '../limits.js';

/** Advisory lock of the one control that uses a database: "godwit" in ASCII. */
const CLAIM_KEY = '113668816791924';

/** Held while this process is the control of a database. */
export interface DatabaseClaim {
  release(): Promise<void>;
}

/**
 * Takes the database for this process: the roster lives in one control, and two would each know half of it. A connection
 * that breaks gives the claim up; it is taken again when the server is back. `onTaken` is called, once, when another control
 * was quicker. Errors: databaseInUse after POSTGRES_CLAIM_WAIT_MS, or what connecting says.
 */
export async function claimDatabase(url: string, onTaken: () => void): Promise<DatabaseClaim> {
  const claim = new Claim(url, onTaken);
  await claim.take();
  return claim;
}

class Claim implements DatabaseClaim {
  readonly #url: string;
  readonly #onTaken: () => void;
  #client: Client | null = null;
  #beat: NodeJS.Timeout | undefined;
  #isReleased = false;

  constructor(url: string, onTaken: () => void) {
    this.#url = url;
    this.#onTaken = onTaken;
  }

  /** One that has just died, or a connection of ours that only we know to be broken, may still hold it for a moment. */
  async take(): Promise<void> {
    if (await this.#waitFor()) return;
    throw new StorageError(
      'databaseInUse',
      'Another control uses this database. Stop it, or set GODWIT_DATABASE_URL to another database.',
    );
  }

  async release(): Promise<void> {
    this.#isReleased = true;
    clearInterval(this.#beat);
    await this.#client?.end().catch(() => undefined);
  }

  /** False when others have held it for POSTGRES_CLAIM_WAIT_MS. Rejects when the server cannot be reached. */
  async #waitFor(): Promise<boolean> {
    const deadlineMs = Date.now() + POSTGRES_CLAIM_WAIT_MS;
    while (!this.#isReleased) {
      if (await this.#try()) return true;
      if (Date.now() > deadlineMs) return false;
      await pause();
    }
    return true;
  }

  /** Whether the claim is ours. Rejects when the server cannot be reached. */
  async #try(): Promise<boolean> {
    const client = new Client({
      connectionString: this.#url,
      connectionTimeoutMillis: POSTGRES_CONNECT_TIMEOUT_MS,
      query_timeout: POSTGRES_CONNECT_TIMEOUT_MS,
      keepAlive: true,
      application_name: 'godwit claim',
    });
    client.on('error', () => undefined);
    let isOurs = false;
    try {
      await client.connect();
      // The server notices within seconds that the host of a control is gone.
      for (const [name, value] of SERVER_KEEPALIVES) await client.query(`set ${name} = ${value}`);
      const { rows } = await client.query<{ ours: boolean }>('select pg_try_advisory_lock($1) as ours', [
        CLAIM_KEY,
      ]);
      isOurs = rows[0]?.ours === true;
    } finally {
      if (!isOurs) await client.end().catch(() => undefined);
    }
    if (isOurs) this.#hold(client);
    return isOurs;
  }

  /** Looks whether the connection, and with it the lock, is still there; when not, takes it again. */
  #hold(client: Client): void {
    this.#client = client;
    const lost = (): void => {
      if (this.#client !== client || this.#isReleased) return;
      this.#client = null;
      clearInterval(this.#beat);
      void client.end().catch(() => undefined);
      void this.#takeAgain();
    };
    client.on('end', lost);
    this.#beat = setInterval(() => {
      client.query('select 1').catch(lost);
    }, POSTGRES_CLAIM_BEAT_MS);
    this.#beat.unref();
  }

  async #takeAgain(): Promise<void> {
    while (!this.#isReleased) {
      const isOurs = await this.#waitFor().catch(() => null);
      if (isOurs === true) return;
      if (isOurs === false) return this.#onTaken();
      await pause();
    }
  }
}

/** A silent peer is given up after 5 + 3 × 2 s. Over a socket in the file system they mean nothing and do no harm. */
const SERVER_KEEPALIVES = [
  ['tcp_keepalives_idle', 5],
  ['tcp_keepalives_interval', 2],
  ['tcp_keepalives_count', 3],
] as const;

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, POSTGRES_CLAIM_RETRY_MS));
