import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { errorCatalogue, type ErrorName } from '../errors.js';

declare module 'fastify' {
  interface FastifySchema {
    /** Entries of the catalogue that are this route's own; those that any route has are added. */
    readonly errors?: readonly ErrorName[];
  }
}

/** Parts of the API, as the document groups them. */
const TAGS = [
  { name: 'sessions', description: 'Sessions, client tokens, and who and what is in a session.' },
  { name: 'moderation', description: 'Signals, mute, force disconnect, tones.' },
  { name: 'migration', description: 'The Migrate Session API.' },
  { name: 'callbacks', description: 'Receivers of a project’s callbacks, and what they did not take.' },
  { name: 'admin', description: 'For operators: nodes, sessions, projects, the audit.' },
  { name: 'operations', description: 'Health, status and metrics; nobody has to say who he is.' },
];

/** Who asks for what: by the beginning of its path. */
const ACCESS = [
  {
    prefix: '/admin/',
    security: [{ adminToken: [] }],
    errors: ['unauthorized', 'tooManyRequests', 'internal', 'unavailable'],
  },
  {
    prefix: '/v2/project/',
    security: [{ projectJwt: [] }, { applicationJwt: [] }],
    errors: ['unauthorized', 'forbidden', 'tooManyRequests', 'internal', 'unavailable'],
  },
  {
    prefix: '/session/create',
    security: [{ projectJwt: [] }, { applicationJwt: [] }],
    errors: ['unauthorized', 'forbidden', 'tooManyRequests', 'internal', 'unavailable'],
  },
] as const satisfies readonly { errors: readonly ErrorName[]; prefix: string; security: object[] }[];

const SECURITY_SCHEMES = {
  projectJwt: {
    type: 'apiKey',
    in: 'header',
    name: 'X-OPENTOK-AUTH',
    description:
      'A JWT of the project, as the `opentok` package makes it: HS256 with one of the project’s secrets, `iss` the API ' +
      'key, `ist` `project`, and an `exp` at most a day ahead. It may be sent as `Authorization: Bearer` as well.',
  },
  applicationJwt: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description:
      'A JWT of the application, as `@vonage/video` makes it: RS256 with the private half of one of its keys, ' +
      '`application_id` the project’s id, and an `exp` at most a day ahead. It may be sent as `X-OPENTOK-AUTH` as well.',
  },
  adminToken: { type: 'http', scheme: 'bearer', description: 'The admin token of the installation.' },
} as const;

z.object({
  code: z.number().int().describe('The catalogue’s number: Vonage’s where there is one, else from 70000 on.'),
  message: z.string().describe('The catalogue’s words for the code.'),
  description: z.string().describe('What is wrong with this request.'),
}).meta({ id: 'Error', description: 'Every error has this body; docs/reference/errors.md lists them.' });

/** An answer without a body. */
export const nothing = z.undefined().describe('Done; there is no body.');
/** Times of the API. */
export const timeMs = z.number().int().describe('Milliseconds since 1970.');

/** What the document leaves out: itself, the built files, and what the demo page asks of its own control. */
const HIDDEN = /^\/(openapi\.json|(sdk|demo)(\/.*)?)?$/;

/**
 * Describes the routes that are registered after it. Throws for one that says nothing of itself: it has a summary and tags,
 * or it is hidden on purpose, by `hide` and by HIDDEN.
 */
export async function describeRoutes(app: FastifyInstance): Promise<void> {
  app.addHook('onRoute', ({ url, schema }) => {
    const isHidden = schema?.hide === true && HIDDEN.test(url);
    const isDescribed = schema?.summary !== undefined && (schema.tags ?? []).length > 0;
    if (!isHidden && !isDescribed)
      throw new Error(`The route ${url} is neither described nor hidden on purpose.`);
  });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Godwit',
        version: '1',
        description:
          'REST of the server SDKs in the shapes of the Vonage Video API, and the admin API. Clients speak over a WebSocket ' +
          'instead (docs/reference/signalling.md).',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/', description: 'The control that serves this document.' }],
      tags: TAGS,
      components: { securitySchemes: SECURITY_SCHEMES },
    },
    transform,
    transformObject: jsonSchemaTransformObject,
  });
}

type Transform = typeof jsonSchemaTransform;

/** A route's own schemas by zod, its errors by the catalogue, its access by its path. */
const transform: Transform = (document) => {
  const { errors = [], ...schema } = document.schema ?? {};
  const access = ACCESS.find(({ prefix }) => document.url.startsWith(prefix));
  const own: readonly ErrorName[] = [
    ...(schema.params === undefined && schema.body === undefined ? [] : (['badRequest'] as const)),
    ...(schema.body === undefined ? [] : (['bodyTooLarge'] as const)),
    ...errors,
    ...(access?.errors ?? []),
  ];
  const described = jsonSchemaTransform({ ...document, schema });
  if (described.schema.hide === true) return described;
  const response = { ...(described.schema.response as object), ...errorAnswers(own) };
  const security = access === undefined ? {} : { security: access.security };
  return { ...described, schema: { ...described.schema, ...security, response } } as ReturnType<Transform>;
};

/** One answer for each status, which names the codes it may have. */
function errorAnswers(names: readonly ErrorName[]): Record<string, object> {
  const entries = [...new Set(names)].map((name) => errorCatalogue[name]);
  const statuses = [...new Set(entries.map(({ status }) => status))].toSorted((a, b) => a - b);
  return Object.fromEntries(
    statuses.map((status) => [
      String(status),
      {
        description: entries
          .filter((entry) => entry.status === status)
          .map(({ code, message }) => `${code}: ${message}.`)
          .join(' '),
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    ]),
  );
}

interface Operation {
  requestBody?: { required?: boolean; content: Record<string, { schema: Record<string, unknown> }> };
}

interface Document {
  paths?: Record<string, Record<string, Operation>>;
  components?: { schemas?: Record<string, unknown> };
}

/** The document of all routes that are registered; to be asked when all are. */
export function openapiDocument(app: FastifyInstance): object {
  const document = JSON.parse(JSON.stringify(app.swagger()), withoutNoise) as Document;
  for (const path of Object.values(document.paths ?? {}))
    for (const operation of Object.values(path)) letBodyBeAbsent(operation);
  dropUnused(document);
  return document;
}

/** zod says of each integer that it is a safe one: true of any JSON number that is one, and of no use to a reader. */
function withoutNoise(key: string, value: unknown): unknown {
  const isBound =
    (key === 'minimum' && value === Number.MIN_SAFE_INTEGER) ||
    (key === 'maximum' && value === Number.MAX_SAFE_INTEGER);
  return isBound ? undefined : value;
}

/** A body that may be null may be left out: server SDKs send nothing then. */
function letBodyBeAbsent({ requestBody }: Operation): void {
  if (requestBody === undefined) return;
  for (const media of Object.values(requestBody.content)) {
    const branches = media.schema['anyOf'];
    if (!Array.isArray(branches)) continue;
    const rest = (branches as { type?: string }[]).filter(({ type }) => type !== 'null');
    const [only] = rest;
    if (rest.length === branches.length || rest.length !== 1 || only === undefined) continue;
    media.schema = only;
    requestBody.required = false;
  }
}

/** Each component comes as input and as output; most are only one of them. */
function dropUnused(document: Document): void {
  const { components = {} } = document;
  // In an order of their own: the registry has that in which files were loaded.
  const schemas = Object.fromEntries(
    Object.entries(components.schemas ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
  components.schemas = schemas;
  for (;;) {
    const text = JSON.stringify(document);
    const unused = Object.keys(schemas).filter((name) => !text.includes(`"#/components/schemas/${name}"`));
    if (unused.length === 0) return;
    for (const name of unused) delete schemas[name];
  }
}
