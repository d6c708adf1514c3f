import { readFileSync } from 'node:fs';
import { SignJWT } from 'jose';
import type { Page } from 'playwright-core';
import type { Platform, TestPage } from '@godwit/testing';

const SCRIPT = readFileSync(new URL('./call-page.js', import.meta.url), 'utf8');

/** One participant's page; Playwright's unless said otherwise. */
export interface CallPage<P extends TestPage = Page> {
  readonly page: P;
  readonly name: string;
}

/** An empty page with the SDK of this platform and the measuring script. Playwright gives each page a context of its own. */
export async function openCallPage<P extends TestPage>(
  browser: { newPage(): Promise<P> },
  platform: Platform,
  name: string,
  firstScript?: string,
): Promise<CallPage<P>> {
  const page = await browser.newPage();
  await page.goto(`${platform.url}/api/client/v2/status`);
  await page.setContent(`<!doctype html><title>${name}</title><body></body>`);
  if (firstScript !== undefined) await page.addScriptTag({ content: firstScript });
  await page.addScriptTag({ url: `${platform.url}/sdk/godwit.js` });
  await page.addScriptTag({ content: SCRIPT });
  return { page, name };
}

export interface Joined {
  readonly connectionId: string;
  readonly streamId: string;
}

export function join(
  { page }: CallPage<TestPage>,
  platform: Platform,
  options: {
    sessionId: string;
    token: string;
    sessionMigration: boolean;
    publish: Record<string, unknown> | false;
  },
): Promise<Joined> {
  const request = {
    apiUrl: platform.url,
    apiKey: platform.apiKey,
    sessionId: options.sessionId,
    token: options.token,
    options: { sessionMigration: options.sessionMigration },
    publish: options.publish,
  };
  return page.evaluate<Joined, typeof request>((value) => window.call.join(value), request);
}

declare global {
  interface Window {
    /** Defined by call-page.js. */
    call: {
      join(request: unknown): Promise<Joined>;
      counters(): Promise<Record<string, number | string>>;
      frameGaps(fromMs: number, toMs: number): Record<string, number>;
      iceFragment(): Promise<unknown>;
      receivedCodecs(): Promise<string[]>;
      mute(muted: boolean): void;
      /** Switches the tone of `audioTrack: 'tone'`. */
      sound(isOn: boolean): void;
      sent(): Promise<Partial<Record<'audio' | 'video', { mimeType: string; contentType?: string }>>>;
      videoTypes(): (string | undefined)[];
      events: { atMs: number; name: string; detail: Record<string, unknown> }[];
      reports: unknown[];
      losses: { silentMs: number; attempts: number }[];
    };
  }
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** A request from inside the page: in a network namespace only the browser reaches the platform. */
export function request(
  { page }: CallPage<TestPage>,
  url: string,
  init: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<ApiAnswer> {
  return page.evaluate(
    async ([target, options]) => {
      const response = await fetch(target, options);
      const text = await response.text();
      const parsed = text === '' ? {} : (JSON.parse(text) as unknown);
      return { status: response.status, body: parsed as Record<string, unknown> };
    },
    [url, init] as const,
  );
}

/** The REST token as the server SDKs make it. */
export async function restToken(platform: Platform): Promise<string> {
  return new SignJWT({ ist: 'project' })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(platform.apiKey)
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(new TextEncoder().encode(platform.apiSecret));
}

/** REST and admin calls of one test, made through a page. */
export class Api {
  readonly #via: CallPage<TestPage>;
  readonly #platform: Platform;

  constructor(via: CallPage<TestPage>, platform: Platform) {
    this.#via = via;
    this.#platform = platform;
  }

  async rest(method: string, path: string, body?: unknown): Promise<ApiAnswer> {
    return request(this.#via, `${this.#platform.url}${path}`, {
      method,
      headers: { 'X-OPENTOK-AUTH': await restToken(this.#platform), 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async admin(path: string): Promise<Record<string, unknown>> {
    const answer = await request(this.#via, `${this.#platform.url}/admin/v1/${path}`, {
      headers: { Authorization: `Bearer ${this.#platform.adminToken}` },
    });
    if (answer.status !== 200)
      throw new Error(`GET ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  async createSession(): Promise<string> {
    const answer = await request(this.#via, `${this.#platform.url}/session/create`, {
      method: 'POST',
      headers: {
        'X-OPENTOK-AUTH': await restToken(this.#platform),
        'Content-Type': 'application/x-www-form-urlencoded',
        Accept: 'application/json',
      },
      body: 'p2p.preference=disabled',
    });
    const [created] = answer.body as unknown as { session_id: string }[];
    if (created === undefined) throw new Error(`no session: ${answer.status}`);
    return created.session_id;
  }

  async token(sessionId: string, role = 'publisher', data = ''): Promise<string> {
    const answer = await this.rest('POST', `${this.#session(sessionId)}/token`, { role, data });
    if (typeof answer.body['token'] !== 'string') throw new Error(`no token: ${JSON.stringify(answer)}`);
    return answer.body['token'];
  }

  migrate(sessionId: string, body: { target?: string; rehearsal?: boolean } = {}): Promise<ApiAnswer> {
    return this.rest('POST', `${this.#session(sessionId)}/migrate`, body);
  }

  /** Polls until the migration has ended; returns its last state. */
  async migrated(sessionId: string, id: string, timeoutMs = 30_000): Promise<Migration> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const answer = await this.rest('GET', `${this.#session(sessionId)}/migrate/${id}`);
      const migration = answer.body as unknown as Migration;
      if (migration.status !== 'pending' && migration.status !== 'running') return migration;
      if (Date.now() > deadline) throw new Error(`migration ${id} did not end: ${JSON.stringify(migration)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Node by connection id. */
  async owners(sessionId: string): Promise<Map<string, string>> {
    const session = (await this.admin(`sessions/${sessionId}`)) as unknown as {
      connections: { connectionId: string; nodeId: string }[];
    };
    return new Map(session.connections.map(({ connectionId, nodeId }) => [connectionId, nodeId]));
  }

  async nodes(): Promise<{ id: string; pid: number; transports: number; state: string }[]> {
    return (await this.admin('nodes'))['items'] as {
      id: string;
      pid: number;
      transports: number;
      state: string;
    }[];
  }

  #session(sessionId: string): string {
    return `/v2/project/${this.#platform.apiKey}/session/${sessionId}`;
  }
}

export interface Migration {
  readonly id: string;
  readonly status: string;
  readonly connections?: readonly {
    readonly connectionId: string;
    readonly outcome: string;
    readonly from: string;
    readonly to: string;
    readonly failure?: string;
  }[];
}
