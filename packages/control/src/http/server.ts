import { randomUUID } from 'node:crypto';
import cors from '@fastify/cors';
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify';
import {
  hasZodFastifySchemaValidationErrors,
  serializerCompiler,
  validatorCompiler,
} from 'fastify-type-provider-zod';
import type { Storage } from '@godwit/storage';
import type { ControlContext } from '../context.js';
import { ControlError } from '../errors.js';
import { parseJson } from '../json.js';
import {
  HTTP_BODY_BYTES_MAX,
  HTTP_REQUEST_TIMEOUT_MS,
  HTTP_SLOW_CHECK_MS,
  RETRY_AFTER_SECONDS,
} from '../limits.js';
import type { Migrations } from '../migration/migrations.js';
import type { PlannedEnds } from '../nodes/planned-ends.js';
import type { ProjectAdministration } from '../projects/administration.js';
import { isDatabaseAway } from '../roster/unwritten.js';
import { adminRoutes } from './admin.js';
import { assetRoutes } from './assets.js';
import { demoRoutes } from './demo.js';
import { Gate, type RateLimits } from './gate.js';
import { healthRoutes } from './health.js';
import { KeptElsewhere } from '../replicas/kept-elsewhere.js';
import { PASSED_ON_HEADER } from '../signalling/tunnel.js';
import { passOn } from './pass-on.js';
import { describeRoutes, openapiDocument } from './openapi.js';
import { restRoutes } from './rest/index.js';

export interface HttpOptions {
  readonly context: ControlContext;
  readonly storage: Storage;
  readonly migrations: Migrations;
  readonly administration: ProjectAdministration;
  readonly plannedEnds: PlannedEnds;
  readonly adminToken: string;
  /** API key of the project of the settings: the demo page's. */
  readonly firstProject: string;
  readonly demo: boolean;
  readonly rateLimits: RateLimits;
  /** Addresses and networks whose X-Forwarded headers are believed. */
  readonly trustedProxies: readonly string[];
  /** Folder with the built `godwit.js`. */
  readonly sdkDir?: string;
  readonly sdkVersion?: string;
  /** Folder with the built demo page. */
  readonly dashboardDir?: string;
  /** PEM; with both set the listener speaks TLS. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

/** What the routes of REST and of the admin API share. */
export interface RouteOptions extends HttpOptions {
  readonly gate: Gate;
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];

/** Who trickles a request is looked for often enough to be gone soon after its time is up. */
const SLOW_SENDERS = {
  headersTimeout: HTTP_REQUEST_TIMEOUT_MS,
  connectionsCheckingInterval: HTTP_SLOW_CHECK_MS,
};

/** The HTTP side of control. It never listens by itself. */
export async function createHttp(options: HttpOptions): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: undefined,
    logger: false,
    bodyLimit: HTTP_BODY_BYTES_MAX,
    requestTimeout: HTTP_REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 512, ignoreTrailingSlash: true },
    genReqId: () => randomUUID(),
    // An empty list would be compiled into a function that is asked for nothing.
    trustProxy: options.trustedProxies.length === 0 ? false : [...options.trustedProxies],
    frameworkErrors: (error, _request, reply: FastifyReply) => {
      const known = asControlError(error);
      void reply.code(known.status).send(known.body);
    },
    ...(options.tls === undefined
      ? { http: SLOW_SENDERS }
      : { https: { ...SLOW_SENDERS, key: options.tls.key, cert: options.tls.cert } }),
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  acceptBodies(app);
  answerErrors(app, options);
  // Pages of any origin may call; no cookie is ever used, so nothing is given away by it.
  await app.register(cors, {
    origin: '*',
    methods: METHODS,
    allowedHeaders: ['authorization', 'content-type', 'x-opentok-auth'],
    exposedHeaders: ['retry-after'],
  });
  await describeRoutes(app);
  let document: object | null = null;
  app.get('/openapi.json', { schema: { hide: true } }, () => (document ??= openapiDocument(app)));
  await app.register(healthRoutes, options);
  const gate = await Gate.open(app, options.context, options.rateLimits);
  await app.register(restRoutes, { ...options, gate });
  await app.register(adminRoutes, { ...options, gate });
  if (options.demo) await app.register(demoRoutes, options);
  await app.register(assetRoutes, options);
  return app;
}

/** Server SDKs send JSON with an empty body, and forms. */
function acceptBodies(app: FastifyInstance): void {
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    if (body === '') return done(null, undefined);
    const value = parseJson(body);
    if (value === undefined) return done(new ControlError('badRequest', 'The body is not JSON.'));
    done(null, value);
  });
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => {
      done(null, Object.fromEntries(new URLSearchParams(body.toString())));
    },
  );
}

function answerErrors(app: FastifyInstance, { context }: HttpOptions): void {
  app.setNotFoundHandler((request, reply) => {
    const error = new ControlError(
      'notFound',
      `There is no ${request.method} ${request.url.split('?')[0] ?? ''}.`,
    );
    return reply.code(error.status).send(error.body);
  });
  app.setErrorHandler(async (failure: FastifyError, request, reply) => {
    let error: FastifyError = failure;
    if (failure instanceof KeptElsewhere) {
      // Tells whoever passed it on that nothing has come of it.
      if (PASSED_ON_HEADER in request.headers) void reply.header(PASSED_ON_HEADER, '1');
      try {
        return await passOn(context, request, reply, failure);
      } catch (refused) {
        error = refused as FastifyError;
      }
    }
    const known = asControlError(error);
    // That the database is away is logged once, by whoever noticed it first.
    if (known.entry === 'internal')
      context.log.error({ error: error.message, route: request.routeOptions.url }, 'a REST request failed');
    const retryAfterSeconds = known.entry === 'unavailable' ? RETRY_AFTER_SECONDS : known.retryAfterSeconds;
    if (retryAfterSeconds !== null) reply.header('retry-after', retryAfterSeconds);
    return reply.code(known.status).send(known.body);
  });
}

function asControlError(error: FastifyError): ControlError {
  if (error instanceof ControlError) return error;
  if (isDatabaseAway(error))
    return new ControlError('unavailable', 'The database is away; calls go on. Ask again in a moment.');
  if (hasZodFastifySchemaValidationErrors(error)) {
    const [issue] = error.validation;
    return new ControlError(
      'badRequest',
      `${issue?.instancePath.slice(1) || 'The request'}: ${issue?.message ?? 'is not valid'}`,
    );
  }
  if (error.statusCode === 413)
    return new ControlError('bodyTooLarge', `A body has at most ${HTTP_BODY_BYTES_MAX} bytes.`);
  if (error.statusCode !== undefined && error.statusCode < 500)
    return new ControlError('badRequest', error.message);
  return new ControlError('internal', 'The request failed inside the server.');
}
