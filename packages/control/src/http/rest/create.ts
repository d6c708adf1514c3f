import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { newSessionRecord } from '@godwit/storage';
import { ControlError } from '../../errors.js';
import { newSessionId } from '../../ids.js';
import type { HttpOptions } from '../server.js';
import { callerOf } from './authorization.js';

const createdSession = z
  .object({
    session_id: z.string(),
    project_id: z.string(),
    partner_id: z.string(),
    create_dt: z.string().describe('As in RFC 9110 5.6.7.'),
    session_status: z.null(),
    media_server_url: z.literal(''),
  })
  .meta({ id: 'CreatedSession' });

/** `POST /session/create`, as the server SDKs send it: a form. */
export function createRoute(app: FastifyInstance, { context }: HttpOptions): void {
  // Extra fields (archiveMode, e2ee, …) are accepted; what they ask for comes with the services.
  const body = z
    .looseObject({
      location: z.string().max(64).optional().describe('IPv4 address of who asks; kept in the session id.'),
    })
    .nullish();
  const schema = {
    summary: 'Create a session',
    description:
      'Other fields of the Vonage Video API (`archiveMode`, `p2p.preference`, …) are accepted and have no effect yet.',
    tags: ['sessions'],
    consumes: ['application/x-www-form-urlencoded', 'application/json'],
    body,
    response: { 200: z.array(createdSession).length(1).describe('The session, in an array of one.') },
  };
  app.withTypeProvider<ZodTypeProvider>().post('/session/create', { schema }, async (request) => {
    const nowMs = context.clockMs();
    const { apiKey } = callerOf(request);
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
        media_server_url: '' as const,
      },
    ];
  });
}
