import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { ControlError } from '../../errors.js';
import { migrationStarted, migrationView, viewMigration, viewStarted } from '../../migration/view.js';
import type { HttpOptions } from '../server.js';
import { authorized, authorizedRecord, SESSION, sessionParams } from './authorization.js';

/** The Migrate Session API. */
export function migrationRoutes(app: FastifyInstance, { context, migrations }: HttpOptions): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  const body = z
    .object({
      target: z
        .string()
        .max(64)
        .optional()
        .describe('Node to move to; by default the least loaded other one.'),
      rehearsal: z.boolean().optional().describe('Everything but the transfer, and back.'),
    })
    .nullish();
  const start = {
    summary: 'Migrate a session',
    description:
      'Answers at once; the migration goes on. A target that holds everything already ends `completed` and moves nobody.',
    tags: ['migration'],
    params: sessionParams,
    body,
    response: { 200: migrationStarted.describe('It has begun.') },
    errors: [
      'sessionNotFound',
      'nodeNotFound',
      'migrationInProgress',
      'migrationTooSoon',
      'targetNotInService',
      'noOtherNode',
    ],
  } as const;
  typed.post(`${SESSION}/migrate`, { schema: start }, async (request) => {
    const { session } = await authorized(context, request, request.params);
    const { target = null, rehearsal = false } = request.body ?? {};
    return viewStarted(await migrations.start(session, { target, rehearsal }));
  });
  const params = sessionParams.extend({ migrationId: z.string().max(64) });
  const read = {
    summary: 'Read a migration',
    description: 'Its progress and, for each connection, the outcome and the gap that its own page measured.',
    tags: ['migration'],
    params,
    response: { 200: migrationView.describe('The migration.') },
    errors: ['sessionNotFound', 'migrationNotFound'],
  } as const;
  typed.get(`${SESSION}/migrate/:migrationId`, { schema: read }, async (request) => {
    const { record } = await authorizedRecord(context, request, request.params);
    const migration = await context.storage.migrations.get(request.params.migrationId);
    if (migration === null || migration.sessionId !== record.sessionId) {
      throw new ControlError('migrationNotFound', 'The session has no such migration.');
    }
    return viewMigration(context.storage, migration);
  });
}
