import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  CALLBACK_RECEIVERS_MAX,
  type AuditEntry,
  type CallbackDelivery,
  type CallbackReceiver,
  type Job,
} from '@godwit/storage';
import { SESSION_EVENTS } from '../../callbacks/events.js';
import { ControlError } from '../../errors.js';
import { CALLBACK_URL_CHARS_MAX } from '../../limits.js';
import type { HttpOptions } from '../server.js';
import { nothing, timeMs } from '../openapi.js';
import { authorizedProject, PROJECT, projectParams } from './authorization.js';

/** An address that callbacks can be sent to; it must not carry a name and a password, which would be shown in lists. */
export const receiverUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
  .max(CALLBACK_URL_CHARS_MAX)
  .refine((url) => !URL.canParse(url) || new URL(url).username === '', 'must not contain a user name');

const registration = z.object({
  group: z.literal('session', { error: 'must be session' }),
  event: z.enum(['all', ...SESSION_EVENTS]),
  url: receiverUrl,
});

const receiverView = z
  .object({
    id: z.string(),
    group: z.string(),
    event: z.string().describe('The name of one, or `all`.'),
    url: z.string(),
    createdAt: timeMs,
  })
  .meta({ id: 'CallbackReceiver' });
export const deadView = z
  .object({
    id: z.string(),
    projectId: z.string(),
    callbackId: z.string().describe('The receiver.'),
    event: z.string(),
    eventId: z.string().describe('The same at every attempt, as `Idempotency-Key`.'),
    sessionId: z.string(),
    body: z.unknown().describe('As it was sent.'),
    createdAt: timeMs,
    givenUpAt: timeMs.nullable(),
    attempts: z.number().int(),
    lastError: z.string().nullable(),
  })
  .meta({ id: 'DeadCallback' });
const tags = ['callbacks'];

/** Receivers of a project's callbacks, and what could not be delivered to them. */
export function callbackRoutes(app: FastifyInstance, { context, storage }: HttpOptions): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  const list = {
    summary: 'List the receivers of a project',
    tags,
    params: projectParams,
    response: { 200: z.array(receiverView).describe('All of them.') },
  };
  typed.get(`${PROJECT}/callback`, { schema: list }, async (request) => {
    const { apiKey } = authorizedProject(request, request.params);
    return (await storage.callbacks.list(apiKey)).map(viewReceiver);
  });
  const create = {
    summary: 'Register a receiver',
    tags,
    params: projectParams,
    body: registration,
    response: { 200: receiverView.describe('The receiver.') },
    errors: ['callbackLimit'],
  } as const;
  typed.post(`${PROJECT}/callback`, { schema: create }, async (request) => {
    const { apiKey } = authorizedProject(request, request.params);
    const receiver: CallbackReceiver = {
      ...request.body,
      callbackId: randomUUID(),
      apiKey,
      createdAtMs: context.clockMs(),
    };
    const audit = auditOf(receiver.createdAtMs, apiKey, 'callback.added', receiver.callbackId);
    if (!(await storage.callbacks.add(receiver, audit)))
      throw new ControlError('callbackLimit', `A project has at most ${CALLBACK_RECEIVERS_MAX} receivers.`);
    return viewReceiver(receiver);
  });
  const one = {
    summary: 'Remove a receiver',
    description: 'With all that waits for it.',
    tags,
    params: projectParams.extend({ callbackId: z.string().max(64) }),
    response: { 204: nothing },
    errors: ['callbackNotFound'],
  } as const;
  typed.delete(`${PROJECT}/callback/:callbackId`, { schema: one }, async (request, reply) => {
    const { apiKey } = authorizedProject(request, request.params);
    const { callbackId } = request.params;
    const audit = auditOf(context.clockMs(), apiKey, 'callback.removed', callbackId);
    if (!(await storage.callbacks.remove(apiKey, callbackId, audit)))
      throw new ControlError('callbackNotFound', 'The project has no such receiver.');
    return reply.code(204).send();
  });
  deadRoutes(app, { context, storage });
}

/** The project itself did it. */
const auditOf = (atMs: number, apiKey: string, action: string, callbackId: string): AuditEntry => ({
  atMs,
  actor: apiKey,
  action,
  subject: apiKey,
  detail: { callbackId },
});

function deadRoutes(
  app: FastifyInstance,
  { context, storage }: Pick<HttpOptions, 'context' | 'storage'>,
): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  const list = {
    summary: 'List the callbacks that were given up',
    tags,
    params: projectParams,
    response: {
      200: z.object({ count: z.number().int(), items: z.array(deadView) }).describe('Those of the project.'),
    },
  };
  typed.get(`${PROJECT}/callback/dead`, { schema: list }, async (request) => {
    const { apiKey } = authorizedProject(request, request.params);
    const items = (await storage.jobs.listDead(apiKey)).map(viewDead);
    return { count: items.length, items };
  });
  const one = {
    summary: 'Send a callback once more that was given up',
    tags,
    params: projectParams.extend({ id: z.string().max(128) }),
    response: { 204: nothing },
    errors: ['callbackNotFound'],
  } as const;
  typed.post(`${PROJECT}/callback/dead/:id/replay`, { schema: one }, async (request, reply) => {
    const { apiKey } = authorizedProject(request, request.params);
    await replayDead({ context, storage }, request.params.id, apiKey);
    return reply.code(204).send();
  });
}

/** Sends a callback that was given up once more; of one project, or of any. Throws a ControlError. */
export async function replayDead(
  { context, storage }: Pick<HttpOptions, 'context' | 'storage'>,
  id: string,
  apiKey?: string,
): Promise<void> {
  if (!(await storage.jobs.revive(id, context.clockMs(), apiKey)))
    throw new ControlError('callbackNotFound', 'No callback of that id was given up.');
  context.callbacksDue();
}

const viewReceiver = ({
  callbackId,
  group,
  event,
  url,
  createdAtMs,
}: CallbackReceiver): z.infer<typeof receiverView> => ({
  id: callbackId,
  group,
  event,
  url,
  createdAt: createdAtMs,
});

/** A callback that was given up. */
export function viewDead({
  jobId,
  group,
  subject,
  payload,
  createdAtMs,
  deadAtMs,
  attempts,
  lastError,
}: Job): z.infer<typeof deadView> {
  return {
    id: jobId,
    projectId: group,
    callbackId: subject,
    ...(payload as unknown as CallbackDelivery),
    createdAt: createdAtMs,
    givenUpAt: deadAtMs,
    attempts,
    lastError,
  };
}
