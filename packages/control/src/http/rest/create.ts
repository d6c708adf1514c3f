import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { newSessionRecord } from '@godwit/storage';
import { ControlError } from '../../errors.js';
import { newSessionId } from '../../ids.js';
import { authenticateProject } from '../../tokens/project-token.js';
import type { HttpOptions } from '../server.js';

/** `POST /session/create`, as the server SDKs send it: a form. */
export function createRoute(app: FastifyInstance, { context }: HttpOptions): void {
  // Extra fields (archiveMode, e2ee, …) are accepted; what they ask for comes with the services.
  const body = z.looseObject({ location: z.string().max(64).optional() }).nullish();
  app.withTypeProvider<ZodTypeProvider>().post('/session/create', { schema: { body } }, async (request) => {
    const nowMs = context.clockMs();
    const { apiKey } = await authenticateProject(request.headers, context.projects, nowMs);
    const asked = request.body?.location;
    const location = asked === undefined || asked === 'null' ? '' : asked;
    if (location !== '' && !z.ipv4().safeParse(location).success) {
      throw new ControlError('badRequest', 'location must be an IPv4 address.');
    }
    const sessionId = newSessionId(apiKey, location, nowMs);
    const record = newSessionRecord({ sessionId, apiKey, createdAtMs: nowMs, location });
    await context.storage.sessions.create(record);
    context.log.info({ sessionId }, 'session created');
    return [
      {
        session_id: sessionId,
        project_id: apiKey,
        partner_id: apiKey,
        create_dt: new Date(nowMs).toUTCString(),
        session_status: null,
        media_server_url: '',
      },
    ];
  });
}
