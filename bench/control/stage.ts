import { PostgresServer, startPlatform, type Platform } from '@godwit/testing';
import { BenchClient, type Admission } from './client.js';
import { RestClient } from './rest-client.js';

export const DATABASES = ['embedded', 'PostgreSQL'] as const;
export type DatabaseName = (typeof DATABASES)[number];

/** Requests that are under way while a database is filled. */
const FILL_CONCURRENT = 16;
/** One session in so many has somebody in it. */
export const SESSIONS_PER_PERSON = 10;
/** Control closes a socket that says nothing for 15 s. */
const PING_INTERVAL_MS = 10_000;

/** One platform over one database: what there is in it, and who. */
export class Stage {
  readonly name: DatabaseName;
  readonly platform: Platform;
  readonly rest: RestClient;
  readonly #postgres: PostgresServer | null;
  /** Sessions that nobody stays in. */
  readonly #empty: string[] = [];
  readonly #people: BenchClient[] = [];
  readonly #pings: NodeJS.Timeout;
  #sessions = 0;
  /** People who are there, or on their way. */
  #invited = 0;

  private constructor(name: DatabaseName, platform: Platform, postgres: PostgresServer | null) {
    this.name = name;
    this.platform = platform;
    this.rest = new RestClient(platform);
    this.#postgres = postgres;
    let turn = 0;
    // Some at a time, so that pings are a low hum and no burst.
    this.#pings = setInterval(() => {
      turn = (turn + 1) % 100;
      for (let at = turn; at < this.#people.length; at += 100) {
        this.#people[at]?.ping().catch(() => undefined);
      }
    }, PING_INTERVAL_MS / 100);
  }

  /** Starts control, one node and, for PostgreSQL, a server of its own with its default settings. */
  static async start(name: DatabaseName): Promise<Stage> {
    const postgres = name === 'PostgreSQL' ? await PostgresServer.start() : null;
    try {
      const env = {
        // The one project of the bench asks as fast as it can; that is counted all the same.
        GODWIT_PROJECT_REQUESTS_PER_SECOND: '1000000',
        ...(postgres === null ? {} : { GODWIT_DATABASE_URL: postgres.url }),
      };
      const nodeEnv = { GODWIT_ANNOUNCED_ADDRESSES: '127.0.0.1', GODWIT_LOG_LEVEL: 'warn' };
      return new Stage(name, await startPlatform({ nodes: 1, env, nodeEnv }), postgres);
    } catch (error) {
      await postgres?.close();
      throw error;
    }
  }

  get sessions(): number {
    return this.#sessions;
  }

  get people(): number {
    return this.#people.length;
  }

  /** Creates a session that is counted. */
  async createSession(): Promise<string> {
    const sessionId = await this.rest.createSession();
    this.#sessions += 1;
    return sessionId;
  }

  /** Sessions until there are `sessions`, every tenth of them with somebody in it. */
  async fill(sessions: number): Promise<void> {
    let missing = sessions - this.#sessions;
    const worker = async (): Promise<void> => {
      for (; missing > 0;) {
        missing -= 1;
        const sessionId = await this.createSession();
        if (this.#invited * SESSIONS_PER_PERSON >= this.#sessions) {
          this.#empty.push(sessionId);
          continue;
        }
        this.#invited += 1;
        this.#people.push(await this.join(await this.admission(sessionId)));
      }
    };
    await Promise.all(Array.from({ length: FILL_CONCURRENT }, worker));
  }

  /** Tokens for `count` of the sessions that nobody stays in, evenly over all of them. */
  async admissions(count: number): Promise<Admission[]> {
    const every = Math.max(1, Math.floor(this.#empty.length / count));
    const chosen = this.#empty.filter((_, number) => number % every === 0).slice(0, count);
    return Promise.all(chosen.map((sessionId) => this.admission(sessionId)));
  }

  async admission(sessionId: string): Promise<Admission> {
    return { apiKey: this.platform.apiKey, sessionId, token: await this.rest.issueToken(sessionId) };
  }

  join(admission: Admission): Promise<BenchClient> {
    return BenchClient.join(this.platform.url, admission);
  }

  /**
   * Resolves when what those who left still had to have written is written: control tells them before it writes, and the
   * embedded database takes one after the other, so a read that is asked for now comes last.
   */
  async settled(): Promise<void> {
    const [sessionId] = this.#empty;
    if (sessionId !== undefined) await this.rest.issueToken(sessionId);
  }

  async stop(): Promise<void> {
    clearInterval(this.#pings);
    this.rest.close();
    await this.platform.stop();
    await this.#postgres?.close();
  }
}
