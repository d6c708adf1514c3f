import Fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorCatalogue } from '../errors.js';
import type { FakeClient } from '../testing/fake-client.js';
import type { FakeNode } from '../testing/fake-node.js';
import { Harness, SECRETS } from '../testing/harness.js';
import { describeRoutes } from './openapi.js';

// The document of a control that runs, and what that control answers, judged by the validator of Fastify (Ajv).

type Schema = Record<string, unknown>;
interface Operation {
  readonly summary: string;
  readonly tags: readonly string[];
  readonly security?: readonly Record<string, readonly string[]>[];
  readonly requestBody?: { readonly required: boolean };
  readonly responses: Record<
    string,
    { readonly description: string; readonly content?: Record<string, { schema: Schema }> }
  >;
}
interface Document {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly tags: readonly { readonly name: string }[];
  readonly components: { readonly schemas: Schema; readonly securitySchemes: Schema };
}

let harness: Harness;
let node: FakeNode;
let client: FakeClient;
let document: Document;
let sessionId: string;
let streamId: string;

beforeAll(async () => {
  harness = await Harness.start();
  node = await harness.node();
  sessionId = await harness.session();
  client = await harness.join(sessionId);
  ({ streamId } = await harness.publish(client, node));
  document = (await (await fetch(`${harness.url}/openapi.json`)).json()) as Document;
}, 60_000);
afterAll(() => harness.close());

const operations = (): { path: string; method: string; operation: Operation }[] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

/** The document's schema with its components in the place of the references. */
function inline(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inline);
  if (typeof value !== 'object' || value === null) return value;
  const { $ref } = value as { $ref?: string };
  if ($ref !== undefined) return inline(document.components.schemas[$ref.split('/').at(-1)!]);
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, inline(child)]));
}

/** What Ajv has against an answer; null when it fits. */
async function complaint(schema: Schema, answer: unknown): Promise<string | null> {
  const judge = Fastify({ ajv: { customOptions: { coerceTypes: false, removeAdditional: false } } });
  judge.post('/', { schema: { body: inline(schema) } }, () => 'fits');
  const { statusCode, body } = await judge.inject({
    method: 'POST',
    url: '/',
    headers: { 'content-type': 'application/json' },
    payload: JSON.stringify(answer),
  });
  return statusCode === 200 ? null : body;
}

/** Asks, and compares the answer with the document. */
async function ask(
  method: string,
  path: string,
  {
    params = {},
    body,
    headers,
  }: { params?: Record<string, string>; body?: unknown; headers?: Record<string, string> } = {},
): Promise<{ status: number; complaint: string | null }> {
  const url = path.replace(/\{(\w+)\}/g, (_all, name: string) =>
    encodeURIComponent({ projectId: SECRETS.apiKey, sessionId, streamId, ...params }[name] ?? 'none'),
  );
  const token: Record<string, string> = path.startsWith('/admin/')
    ? { authorization: `Bearer ${SECRETS.adminToken}` }
    : { 'x-opentok-auth': await harness.projectToken() };
  const response = await fetch(harness.url + url, {
    method,
    headers: {
      ...token,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const described = document.paths[path]?.[method.toLowerCase()]?.responses[String(response.status)];
  if (described === undefined) return { status: response.status, complaint: 'this status is not described' };
  const text = await response.text();
  const schema = described.content?.['application/json']?.schema;
  if (schema === undefined) return { status: response.status, complaint: text === '' ? null : 'a body' };
  return { status: response.status, complaint: await complaint(schema, JSON.parse(text)) };
}

const S = '/v2/project/{projectId}/session/{sessionId}';

describe('the document', () => {
  it('takes no route that neither describes itself nor is hidden on purpose', async () => {
    const app = Fastify();
    await describeRoutes(app);
    expect(() => app.get('/silent', () => '')).toThrow('/silent is neither described');
    expect(() => app.get('/hidden', { schema: { hide: true } }, () => '')).toThrow('/hidden is neither');
    expect(() =>
      app.get('/said', { schema: { summary: 'Something', tags: ['sessions'] } }, () => ''),
    ).not.toThrow();
  });

  it('says of each operation what it is, who may ask and what comes back', () => {
    expect(operations().length).toBeGreaterThan(30);
    const tags = new Set(document.tags.map(({ name }) => name));
    const wrong = operations().filter(({ path, operation }) => {
      const { summary, security = [], responses } = operation;
      const success = Object.entries(responses).filter(([status]) => status.startsWith('2'));
      const schemes = security.flatMap((entry) => Object.keys(entry));
      const isOpen = operation.tags.includes('operations');
      return (
        summary === '' ||
        !operation.tags.every((tag) => tags.has(tag)) ||
        success.length !== 1 ||
        Object.values(responses).some(({ description }) => description === 'Default Response') ||
        isOpen === schemes.length > 0 ||
        schemes.some((name) => !(name in document.components.securitySchemes)) ||
        (path.startsWith('/admin/') && !schemes.includes('adminToken'))
      );
    });
    expect(wrong.map(({ path, method }) => `${method} ${path}`)).toEqual([]);
  });

  it('names in the errors the numbers of the catalogue and no others', () => {
    const codes = new Set(Object.values(errorCatalogue).map(({ status, code }) => `${status} ${code}`));
    const named = operations().flatMap(({ operation }) =>
      Object.entries(operation.responses)
        .filter(([, { content }]) => content?.['application/json']?.schema['$ref'] !== undefined)
        .flatMap(([status, { description }]) =>
          [...description.matchAll(/(\d{5}): /g)].map(([, code]) => `${status} ${code}`),
        ),
    );
    expect(named.filter((code) => !codes.has(code))).toEqual([]);
    expect(new Set(named).size).toBeGreaterThan(20);
  });

  it('has a body as optional where server SDKs send none', () => {
    const optional = operations()
      .filter(({ operation }) => operation.requestBody?.required === false)
      .map(({ path }) => path);
    expect(optional.toSorted()).toEqual([`${S}/migrate`, `${S}/token`, '/session/create'].toSorted());
  });
});

describe('the answers of a control that runs', () => {
  it('are as the document says, the good ones', async () => {
    const migrated = ask('POST', `${S}/migrate`, { body: { target: node.nodeId } });
    const answers = {
      create: await ask('POST', '/session/create', { body: {} }),
      token: await ask('POST', `${S}/token`, { body: { role: 'moderator' } }),
      streams: await ask('GET', `${S}/stream`),
      stream: await ask('GET', `${S}/stream/{streamId}`),
      connections: await ask('GET', `${S}/connection`),
      layout: await ask('PUT', `${S}/stream`, {
        body: { items: [{ id: streamId, layoutClassList: ['x'] }] },
      }),
      signal: await ask('POST', `${S}/signal`, { body: { data: 'x' } }),
      mute: await ask('POST', `${S}/mute`, { body: { active: false } }),
      tones: await ask('POST', `${S}/play-dtmf`, { body: { digits: '1' } }),
      migrate: await migrated,
      receiver: await ask('POST', '/v2/project/{projectId}/callback', {
        body: { group: 'session', event: 'all', url: 'http://127.0.0.1:9/' },
      }),
      receivers: await ask('GET', '/v2/project/{projectId}/callback'),
      nodes: await ask('GET', '/admin/v1/nodes'),
      node: await ask('GET', '/admin/v1/nodes/{nodeId}', { params: { nodeId: node.nodeId } }),
      sessions: await ask('GET', '/admin/v1/sessions'),
      session: await ask('GET', '/admin/v1/sessions/{sessionId}'),
      made: await ask('POST', '/admin/v1/projects', { body: { id: 'described', name: 'Shop' } }),
      changed: await ask('PUT', '/admin/v1/projects/{projectId}', { body: { name: 'First' } }),
      projects: await ask('GET', '/admin/v1/projects'),
      audit: await ask('GET', '/admin/v1/audit'),
      health: await ask('GET', '/health'),
      status: await ask('GET', '/api/client/v2/status'),
    };
    const wrong = Object.entries(answers).filter(
      ([, { status, complaint: found }]) => status >= 300 || found !== null,
    );
    expect(wrong).toEqual([]);
  });

  it('are as the document says, the errors', async () => {
    const answers = {
      400: await ask('POST', `${S}/signal`, { body: {} }),
      401: await ask('GET', `${S}/stream`, { headers: { 'x-opentok-auth': 'x.y.z' } }),
      403: await ask('GET', `${S}/stream`, { params: { projectId: 'other' } }),
      404: await ask('GET', `${S}/stream/{streamId}`, { params: { streamId: 'none' } }),
      409: await ask('POST', '/admin/v1/projects', { body: { id: SECRETS.apiKey, name: 'again' } }),
      413: await ask('POST', `${S}/signal`, { body: { data: 'x'.repeat(8_193) } }),
    };
    expect(Object.entries(answers).filter(([status, answer]) => String(answer.status) !== status)).toEqual(
      [],
    );
    expect(Object.values(answers).map(({ complaint: found }) => found)).toEqual(Array(6).fill(null));
  });

  it('are 401 wherever the document says that somebody has to say who he is, before anything is read', async () => {
    const secured = operations().filter(({ operation }) => operation.security !== undefined);
    expect(secured.length).toBeGreaterThan(30);
    for (const { path, method } of secured) {
      const response = await fetch(harness.url + path.replace(/\{\w+\}/g, 'none'), {
        method: method.toUpperCase(),
        headers: { 'content-type': 'application/json' },
        ...(method === 'get' ? {} : { body: '{"no' }),
      });
      expect([path, response.status]).toEqual([path, 401]);
      expect(await response.json()).toMatchObject({ code: errorCatalogue.unauthorized.code });
    }
  });

  it('would be told apart from others', async () => {
    const { schema } = document.paths[`${S}/stream`]!['get']!.responses['200']!.content!['application/json']!;
    const stream = { id: 'a', videoType: 'camera', name: '', layoutClassList: [] };
    expect(await complaint(schema, { count: 1, items: [stream] })).toBeNull();
    expect(await complaint(schema, { count: 1, items: [{ ...stream, videoType: 'film' }] })).not.toBeNull();
    expect(await complaint(schema, { count: 1, items: [{ ...stream, secret: 'x' }] })).not.toBeNull();
    expect(await complaint(schema, { items: [] })).not.toBeNull();
  });
});
