import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { SESSION_ID_CHARS_MAX } from '@godwit/protocol';
import type { SessionRecord } from '@godwit/storage';
import type { ControlContext } from '../../context.js';
import { ControlError } from '../../errors.js';
import { PROJECT_ID_CHARS_MAX, type Project } from '../../projects/project.js';
import { keepSession } from '../../roster/keep.js';
import type { SessionState } from '../../roster/state.js';

export const projectParams = z.object({ projectId: z.string().max(PROJECT_ID_CHARS_MAX) });
export const sessionParams = projectParams.extend({ sessionId: z.string().max(SESSION_ID_CHARS_MAX) });
export const PROJECT = '/v2/project/:projectId';
export const SESSION = `${PROJECT}/session/:sessionId`;

/** Checks the path, then finds the row of a session of its project. Throws a ControlError. */
export async function authorizedRecord(
  context: ControlContext,
  request: FastifyRequest,
  params: z.infer<typeof sessionParams>,
): Promise<{ record: SessionRecord; project: Project }> {
  const project = authorizedProject(request, params);
  const record = await context.storage.sessions.get(params.sessionId);
  if (record === null || record.apiKey !== project.apiKey) throw sessionNotFound();
  return { record, project };
}

/**
 * Checks the path, then brings the session of its project here, with everybody in it. Throws a ControlError, or KeptElsewhere: then
 * the whole request is passed on.
 */
export async function authorized(
  context: ControlContext,
  request: FastifyRequest,
  params: z.infer<typeof sessionParams>,
): Promise<{ session: SessionState; project: Project }> {
  const project = authorizedProject(request, params);
  const session = await keepSession(context, params.sessionId);
  if (session === null || session.record.apiKey !== project.apiKey) throw sessionNotFound();
  return { session, project };
}

const sessionNotFound = (): ControlError =>
  new ControlError('sessionNotFound', 'There is no such session in this project.');

/** The caller, whom the gate has let in. */
export function callerOf({ project }: FastifyRequest): Project {
  if (project === null) throw new Error('a route of REST must be behind the gate');
  return project;
}

/** Checks that the path is of the caller's project. Throws a ControlError. */
export function authorizedProject(
  request: FastifyRequest,
  { projectId }: z.infer<typeof projectParams>,
): Project {
  const project = callerOf(request);
  if (projectId !== project.apiKey)
    throw new ControlError('forbidden', 'The project in the path is not the one of the JWT.');
  return project;
}
