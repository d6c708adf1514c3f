import { pino } from 'pino';
import { newSessionRecord, openMemoryStorage, openPostgresStorage, type Storage } from '@godwit/storage';
import { createControl, type Control, type ControlOptions } from '../control.js';
import type { ControlSettings } from '../settings.js';
import { issueClientToken } from '../tokens/client-token.js';
import type { Role } from '../tokens/roles.js';
import { FakeClient, offerSdp, type ConnectResult, type OfferResult } from './fake-client.js';
import { FakeNode } from './fake-node.js';

export const SECRETS = {
  apiKey: '12345678',
  apiSecret: 'a-secret-of-the-test-project',
  adminToken: 'an-admin-token-of-the-test',
  joinKey: 'a-join-key-of-the-test-nodes',
  storageKey: 'a-storage-key-of-the-test',
};

const PROJECT = { apiKey: SECRETS.apiKey, secrets: [SECRETS.apiSecret] };

/** Control over a real database in memory, its clock, and helpers that speak to it. */
export class Harness {
  readonly control: Control;
  readonly storage: Storage;
  readonly url: string;
  readonly logs: string[];
  /** Added to the wall clock. */
  readonly clock: { offsetMs: number };

  readonly #hasOwnStorage: boolean;

  private constructor(
    parts: Pick<Harness, 'control' | 'storage' | 'url' | 'logs' | 'clock'>,
    hasOwnStorage: boolean,
  ) {
    this.#hasOwnStorage = hasOwnStorage;
    this.control = parts.control;
    this.storage = parts.storage;
    this.url = parts.url;
    this.logs = parts.logs;
    this.clock = parts.clock;
  }

  static async start(
    options: Partial<
      Pick<ControlSettings, 'migrationMinAgeMs' | 'rateLimits' | 'trustedProxies' | 'tlsFiles'>
    > & {
      storage?: Storage;
      /** Shared with other controls; `storage` is the harness's own way to it then. */
      databaseUrl?: string;
    } & Partial<Pick<ControlOptions, 'timings' | 'onTaken' | 'sdkDir' | 'sdkVersion' | 'dashboardDir'>> = {},
  ): Promise<Harness> {
    const { databaseUrl } = options;
    const storage =
      options.storage ??
      (await (databaseUrl === undefined ? openMemoryStorage() : openPostgresStorage(databaseUrl)));
    const logs: string[] = [];
    const clock = { offsetMs: 0 };
    const control = await createControl({
      ...options,
      settings: {
        host: '127.0.0.1',
        port: 0,
        dataDir: '/nonexistent',
        migrationMinAgeMs: options.migrationMinAgeMs ?? 0,
        callbacksToPrivate: true,
        demo: true,
        rateLimits: options.rateLimits ?? { projectPerSecond: 0, failuresPerMinute: 0 },
        trustedProxies: options.trustedProxies ?? [],
        ...(options.tlsFiles === undefined ? {} : { tlsFiles: options.tlsFiles }),
        logLevel: 'debug',
        ...(databaseUrl === undefined ? {} : { databaseUrl }),
      },
      ...(databaseUrl === undefined ? { storage } : {}),
      secrets: SECRETS,
      log: pino({ level: 'debug' }, { write: (line: string) => logs.push(line) }),
      clockMs: () => Date.now() + clock.offsetMs,
    });
    const { url } = await control.listen();
    return new Harness({ control, storage, url, logs, clock }, databaseUrl !== undefined);
  }

  async close(): Promise<void> {
    await this.control.close();
    // Control has closed the one that it was given.
    if (this.#hasOwnStorage) await this.storage.close();
  }

  node(options: Partial<ConstructorParameters<typeof FakeNode>[0]> = {}): Promise<FakeNode> {
    return FakeNode.start({ url: this.url, joinKey: SECRETS.joinKey, ...options });
  }

  /** A fresh session, made through the demo endpoint's sibling: the storage itself. */
  async session(createdAtMs = Date.now()): Promise<string> {
    const { newSessionId } = await import('../ids.js');
    const sessionId = newSessionId(SECRETS.apiKey, '', createdAtMs);
    const { apiKey } = SECRETS;
    await this.storage.sessions.create(newSessionRecord({ sessionId, apiKey, createdAtMs }));
    return sessionId;
  }

  token(sessionId: string, role: Role = 'publisher', data = ''): Promise<string> {
    const nowMs = Date.now() + this.clock.offsetMs;
    const expiresAtSeconds = Math.floor(nowMs / 1_000) + 600;
    return issueClientToken({ sessionId, role, data, expiresAtSeconds }, PROJECT, nowMs);
  }

  async join(
    sessionId: string,
    options: {
      role?: Role;
      sessionMigration?: boolean;
      pathMethod?: 'candidate' | 'restart';
      data?: string;
    } = {},
  ): Promise<FakeClient & { joined: ConnectResult }> {
    const client = await FakeClient.open(this.url);
    const joined = await client.request<ConnectResult>('connect', {
      apiKey: SECRETS.apiKey,
      sessionId,
      token: await this.token(sessionId, options.role, options.data),
      sdkVersion: 'test',
      sessionMigration: options.sessionMigration ?? true,
      pathMethod: options.pathMethod ?? 'candidate',
    });
    return Object.assign(client, { joined });
  }

  /** Publishes audio and video and lets the node report the handshake. */
  publish(
    client: FakeClient,
    node: FakeNode,
    ssrc = 1_000,
  ): Promise<{ streamId: string; transportId: string; answer: OfferResult }> {
    return Harness.publishWith(client, node, ssrc);
  }

  static async publishWith(
    client: FakeClient,
    node: FakeNode,
    ssrc = 1_000,
  ): Promise<{ streamId: string; transportId: string; answer: OfferResult }> {
    const { streamId } = await client.request<{ streamId: string }>('createStream', {
      name: 'camera',
      hasAudio: true,
      hasVideo: true,
      videoDimensions: { width: 640, height: 480 },
      videoType: 'camera',
    });
    const answer = await client.request<OfferResult>('offer', {
      sdp: offerSdp([
        { mid: '0', kind: 'audio', direction: 'sendonly', ssrc },
        { mid: '1', kind: 'video', direction: 'sendonly', ssrc: ssrc + 1 },
      ]),
      publications: [{ streamId, audioMid: '0', videoMid: '1' }],
      subscriptions: [],
    });
    const { transportId, epoch } = node.received('createTransport').at(-1)!;
    node.send({ event: 'transportConnected', transportId, epoch });
    await client.event('streamCreated', (event) => event.stream.streamId === streamId);
    return { streamId, transportId, answer };
  }

  projectToken(): Promise<string> {
    return Harness.projectToken(this.clock.offsetMs);
  }

  static async projectToken(offsetMs = 0): Promise<string> {
    const { SignJWT } = await import('jose');
    const nowSeconds = Math.floor((Date.now() + offsetMs) / 1_000);
    return new SignJWT({ ist: 'project' })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer(SECRETS.apiKey)
      .setIssuedAt(nowSeconds)
      .setExpirationTime(nowSeconds + 300)
      .sign(Buffer.from(SECRETS.apiSecret));
  }

  /** A call of an administrator; `path` begins after /admin/v1/. */
  async admin(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: Record<string, unknown> }> {
    const response = await fetch(`${this.url}/admin/v1/${path}`, {
      method,
      headers: {
        authorization: `Bearer ${SECRETS.adminToken}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return answerOf(response);
  }

  /** A REST call of the project; `path` begins after /v2/project/{apiKey}/session/. */
  async rest(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: Record<string, unknown> }> {
    const response = await fetch(`${this.url}/v2/project/${SECRETS.apiKey}/session/${path}`, {
      method,
      headers: { 'x-opentok-auth': await this.projectToken(), 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return answerOf(response);
  }

  /** Migrates and waits for the end. */
  async migrate(sessionId: string, body: object = {}): Promise<Record<string, unknown>> {
    const started = await this.rest('POST', `${sessionId}/migrate`, body);
    if (started.status !== 200) throw new Error(JSON.stringify(started.body));
    return this.migrationEnd(sessionId, String(started.body['id']));
  }

  async migrationEnd(sessionId: string, id: string): Promise<Record<string, unknown>> {
    for (;;) {
      const { body } = await this.rest('GET', `${sessionId}/migrate/${id}`);
      if (body['endedAt'] !== null) return body;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

async function answerOf(response: Response): Promise<{ status: number; body: Record<string, unknown> }> {
  const text = await response.text();
  return {
    status: response.status,
    body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
  };
}
