import { existsSync } from 'node:fs';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { ControlError } from '../errors.js';
import type { HttpOptions } from './server.js';

/** A version's file never changes, so browsers may keep it for a year. */
const IMMUTABLE_MAX_AGE_MS = 31_536_000_000;

/** The SDK under /sdk and the demo page under /demo, as far as they have been built. */
export async function assetRoutes(app: FastifyInstance, options: HttpOptions): Promise<void> {
  const { sdkDir, sdkVersion, dashboardDir } = options;
  if (sdkDir !== undefined && existsSync(sdkDir)) await serveSdk(app, sdkDir, sdkVersion);
  else missing(app, ['/sdk/*'], 'The SDK is not built: run npm run build.');
  if (!options.demo) return;
  if (dashboardDir !== undefined && existsSync(dashboardDir)) await serveDemo(app, dashboardDir);
  else missing(app, ['/demo', '/demo/*'], 'The demo page is not built: run npm run build.');
}

async function serveSdk(app: FastifyInstance, root: string, version: string | undefined): Promise<void> {
  const latest = { maxAge: 0, immutable: false, cacheControl: true } as const;
  await app.register(fastifyStatic, { root, serve: false });
  app.get<{ Params: { file: string } }>('/sdk/:file', { schema: { hide: true } }, (request, reply) =>
    reply.sendFile(sdkFile(request.params.file), root, latest),
  );
  app.get<{ Params: { version: string; file: string } }>(
    '/sdk/:version/:file',
    { schema: { hide: true } },
    (request, reply) => {
      if (request.params.version !== version) {
        throw new ControlError('assetMissing', `This server has version ${version ?? 'unknown'} of the SDK.`);
      }
      return reply.sendFile(sdkFile(request.params.file), root, {
        maxAge: IMMUTABLE_MAX_AGE_MS,
        immutable: true,
      });
    },
  );
}

/** Only the bundle and its map, whatever else the folder holds. */
function sdkFile(name: string): string {
  if (name !== 'godwit.js' && name !== 'godwit.js.map')
    throw new ControlError('notFound', 'The SDK is godwit.js.');
  return name;
}

async function serveDemo(app: FastifyInstance, root: string): Promise<void> {
  await app.register(fastifyStatic, {
    root,
    prefix: '/demo/',
    decorateReply: !app.hasReplyDecorator('sendFile'),
    schemaHide: true,
  });
  // The page's links begin with /demo/, so it needs no redirect that would drop its query.
  app.get('/demo', { schema: { hide: true } }, (_request, reply) => reply.sendFile('index.html', root));
  app.get('/', { schema: { hide: true } }, (_request, reply) => reply.redirect('/demo/'));
}

function missing(app: FastifyInstance, paths: readonly string[], description: string): void {
  for (const path of paths) {
    app.get(path, { schema: { hide: true } }, () => {
      throw new ControlError('assetMissing', description);
    });
  }
}
