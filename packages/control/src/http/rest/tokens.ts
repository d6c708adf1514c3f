import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { CONNECTION_DATA_CHARS_MAX } from '@godwit/protocol';
import { ControlError } from '../../errors.js';
import { TOKEN_LIFETIME_SECONDS, TOKEN_LIFETIME_SECONDS_MAX } from '../../limits.js';
import { issueClientToken } from '../../tokens/client-token.js';
import { roles } from '../../tokens/roles.js';
import type { HttpOptions } from '../server.js';
import { systemUrl } from '../system-url.js';
import { authorizedRecord, SESSION, sessionParams } from './authorization.js';

/** Client tokens that name this system. */
export function tokenRoute(app: FastifyInstance, { context }: HttpOptions): void {
  const body = z
    .object({
      role: z.enum(roles).default('publisher'),
      data: z
        .string()
        .max(CONNECTION_DATA_CHARS_MAX)
        .default('')
        .describe('What others see of the client as `connection.data`.'),
      expireTime: z
        .number()
        .int()
        .positive()
        .optional()
        .describe('Seconds since 1970; at most 30 days ahead, by default a day.'),
    })
    .nullish();
  const schema = {
    summary: 'Issue a client token',
    description:
      'Its claim `url` names this system, and the SDK obeys it. Server SDKs make tokens without asking anybody.',
    tags: ['sessions'],
    params: sessionParams,
    body,
    response: { 200: z.object({ token: z.string() }).describe('The token, for one client.') },
    errors: ['sessionNotFound', 'noSecret'],
  } as const;
  app.withTypeProvider<ZodTypeProvider>().post(`${SESSION}/token`, { schema }, async (request) => {
    const { record, project } = await authorizedRecord(context, request, request.params);
    const nowMs = context.clockMs();
    const nowSeconds = Math.floor(nowMs / 1_000);
    const { role = 'publisher', data = '', expireTime } = request.body ?? {};
    const expiresAtSeconds = expireTime ?? nowSeconds + TOKEN_LIFETIME_SECONDS;
    if (expiresAtSeconds <= nowSeconds || expiresAtSeconds > nowSeconds + TOKEN_LIFETIME_SECONDS_MAX) {
      throw new ControlError('badRequest', 'expireTime must be in the future and at most 30 days ahead.');
    }
    const wish = { sessionId: record.sessionId, role, data, expiresAtSeconds, url: systemUrl(request) };
    return { token: await issueClientToken(wish, project, nowMs) };
  });
}
