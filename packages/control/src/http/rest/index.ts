import type { FastifyInstance } from 'fastify';
import type { RouteOptions } from '../server.js';
import { callbackRoutes } from './callbacks.js';
import { createRoute } from './create.js';
import { migrationRoutes } from './migrate.js';
import { moderationRoutes } from './moderation.js';
import { rosterRoutes } from './roster.js';
import { tokenRoute } from './tokens.js';

/** The REST API of the server SDKs. */
export function restRoutes(app: FastifyInstance, options: RouteOptions, done: () => void): void {
  // Before the body is read: nobody else's is looked at.
  app.addHook('onRequest', (request) => options.gate.project(request));
  createRoute(app, options);
  tokenRoute(app, options);
  migrationRoutes(app, options);
  rosterRoutes(app, options);
  moderationRoutes(app, options);
  callbackRoutes(app, options);
  done();
}
