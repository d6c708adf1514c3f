import type { Platform } from './platform.js';
import { projectToken } from './project-token.js';

/** Signed for each request. */
const TOKEN_SECONDS = 300;

export interface ApiReply {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** A migration as the Migrate Session API shows it. */
export interface MigrationReply {
  readonly id: string;
  readonly status: string;
  /** Unix time, ms. */
  readonly createdAt: number;
  readonly endedAt: number | null;
  readonly connections?: readonly {
    readonly connectionId: string;
    readonly outcome: string;
    readonly from: string;
    readonly to: string;
    readonly failure?: string;
    readonly measures?: {
      readonly stateBytes?: number;
      readonly transferMs?: number;
      readonly pathMs?: number;
    };
  }[];
}

export interface NodeReply {
  readonly id: string;
  readonly pid: number;
  readonly transports: number;
  readonly state: string;
  readonly opsUrl: string;
}

/** A session as the admin interface shows it. */
export interface SessionReply {
  readonly connections: readonly { readonly connectionId: string; readonly nodeId: string | null }[];
  readonly streams: readonly { readonly streamId: string }[];
}

/** What a request of this API has: plain, so that it may be passed into a page. */
export interface PlatformRequest {
  readonly method?: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
}

/** Sends a request from wherever the platform can be reached; `fetch` is one. */
export type PlatformFetch = (
  url: string,
  request: PlatformRequest,
) => Promise<{ readonly status: number; text(): Promise<string> }>;

type Credentials = Pick<Platform, 'url' | 'apiKey' | 'apiSecret' | 'adminToken'>;

/** REST and admin calls to a running platform, from this process unless said otherwise. */
export class PlatformApi {
  readonly #platform: Credentials;
  readonly #fetch: PlatformFetch;

  constructor(platform: Credentials, fetchFrom: PlatformFetch = fetch) {
    this.#platform = platform;
    this.#fetch = fetchFrom;
  }

  async createSession(): Promise<string> {
    const { body, status } = await this.rest('POST', '/session/create', 'p2p.preference=disabled');
    if (status !== 200) throw new Error(`no session: ${status} ${JSON.stringify(body)}`);
    const [created] = body as unknown as [{ session_id: string }];
    return created.session_id;
  }

  async token(sessionId: string, role = 'publisher'): Promise<string> {
    const { body, status } = await this.rest('POST', `${this.#path(sessionId)}/token`, { role });
    if (typeof body['token'] !== 'string') throw new Error(`no token: ${status} ${JSON.stringify(body)}`);
    return body['token'];
  }

  migrate(sessionId: string, body: { target?: string; rehearsal?: boolean } = {}): Promise<ApiReply> {
    return this.rest('POST', `${this.#path(sessionId)}/migrate`, body);
  }

  async migration(sessionId: string, id: string): Promise<MigrationReply> {
    const { body, status } = await this.rest('GET', `${this.#path(sessionId)}/migrate/${id}`);
    if (status !== 200) throw new Error(`migration ${id}: ${status} ${JSON.stringify(body)}`);
    return body as unknown as MigrationReply;
  }

  /** Polls until the migration has ended; returns its last state. */
  async migrated(sessionId: string, id: string, timeoutMs = 30_000): Promise<MigrationReply> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const migration = await this.migration(sessionId, id);
      if (migration.status !== 'pending' && migration.status !== 'running') return migration;
      if (Date.now() > deadline) throw new Error(`migration ${id} did not end: ${JSON.stringify(migration)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async session(sessionId: string): Promise<SessionReply> {
    return (await this.admin(`sessions/${sessionId}`)) as unknown as SessionReply;
  }

  /** Node by connection id; empty as long as there is no transport. */
  async owners(sessionId: string): Promise<Map<string, string>> {
    const { connections } = await this.session(sessionId);
    return new Map(connections.map(({ connectionId, nodeId }) => [connectionId, nodeId ?? '']));
  }

  async nodes(): Promise<NodeReply[]> {
    return (await this.admin('nodes'))['items'] as NodeReply[];
  }

  async admin(path: string): Promise<ApiReply['body']> {
    const { status, body } = await this.#send(`/admin/v1/${path}`, {
      headers: { Authorization: `Bearer ${this.#platform.adminToken}` },
    });
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${JSON.stringify(body)}`);
    return body;
  }

  /** A change by an administrator. */
  changeAdmin(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: object): Promise<ApiReply> {
    return this.#send(`/admin/v1/${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${this.#platform.adminToken}`,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  /** A body of text is sent as a form, any other as JSON. */
  async rest(method: string, path: string, body?: string | object): Promise<ApiReply> {
    const isForm = typeof body === 'string';
    const type = isForm ? 'application/x-www-form-urlencoded' : 'application/json';
    return this.#send(path, {
      method,
      headers: {
        'X-OPENTOK-AUTH': await projectToken(this.#platform, TOKEN_SECONDS),
        Accept: 'application/json',
        ...(body === undefined ? {} : { 'Content-Type': type }),
      },
      ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
    });
  }

  async #send(path: string, request: PlatformRequest): Promise<ApiReply> {
    const response = await this.#fetch(`${this.#platform.url}${path}`, request);
    const text = await response.text();
    return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as ApiReply['body']) };
  }

  #path(sessionId: string): string {
    return `/v2/project/${this.#platform.apiKey}/session/${sessionId}`;
  }
}
