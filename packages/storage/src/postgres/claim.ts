import { Client } from 'pg';
import { StorageError } from '../errors.js';
import { POSTGRES_CLAIM_RETRY_MS, POSTGRES_CLAIM_WAIT_MS, POSTGRES_CONNECT_TIMEOUT_MS } from '../limits.js';

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
  #isReleased = false;

  constructor(url: string, onTaken: () => void) {
    this.#url = url;
    this.#onTaken = onTaken;
  }

  /** One that has just died may still be connected for a moment. */
  async take(): Promise<void> {
    const deadlineMs = Date.now() + POSTGRES_CLAIM_WAIT_MS;
    while (!(await this.#try())) {
      if (Date.now() > deadlineMs)
        throw new StorageError(
          'databaseInUse',
          'Another control uses this database. Stop it, or set GODWIT_DATABASE_URL to another database.',
        );
      await pause();
    }
  }

  async release(): Promise<void> {
    this.#isReleased = true;
    await this.#client?.end();
  }

  /** Whether the claim is ours. Rejects when the server cannot be reached. */
  async #try(): Promise<boolean> {
    const client = new Client({
      connectionString: this.#url,
      connectionTimeoutMillis: POSTGRES_CONNECT_TIMEOUT_MS,
      keepAlive: true,
      application_name: 'godwit claim',
    });
    let isOurs = false;
    client.on('error', () => undefined);
    client.on('end', () => {
      if (isOurs && !this.#isReleased) void this.#takeAgain();
    });
    try {
      await client.connect();
      const { rows } = await client.query<{ ours: boolean }>('select pg_try_advisory_lock($1) as ours', [
        CLAIM_KEY,
      ]);
      isOurs = rows[0]?.ours === true;
    } finally {
      if (!isOurs) await client.end().catch(() => undefined);
    }
    if (isOurs) this.#client = client;
    return isOurs;
  }

  async #takeAgain(): Promise<void> {
    while (!this.#isReleased) {
      const isOurs = await this.#try().catch(() => null);
      if (isOurs === true) return;
      if (isOurs === false) return this.#onTaken();
      await pause();
    }
  }
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, POSTGRES_CLAIM_RETRY_MS));
