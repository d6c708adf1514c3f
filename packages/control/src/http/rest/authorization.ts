import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { SESSION_ID_CHARS_MAX } from '@godwit/protocol';
import type { ControlContext } from '../../context.js';
import { ControlError } from '../../errors.js';
import { PROJECT_ID_CHARS_MAX, type Project } from '../../projects/project.js';
import type { SessionState } from '../../roster/state.js';

export const projectParams = z.object({ projectId: z.string().max(PROJECT_ID_CHARS_MAX) });
export const sessionParams = projectParams.extend({ sessionId: z.string().max(SESSION_ID_CHARS_MAX) });
export const PROJECT = '/v2/project/:projectId';
export const SESSION = `${PROJECT}/session/:sessionId`;

/** Checks the path, then finds the session of the caller's project. Throws a ControlError. */
export async function authorized(
  context: ControlContext,
  request: FastifyRequest,
  params: z.infer<typeof sessionParams>,
): Promise<{ session: SessionState; project: Project }> {
  const project = authorizedProject(request, params);
  const session = await context.roster.session(params.sessionId);
  if (session === null || session.record.apiKey !== project.apiKey)
    throw new ControlError('sessionNotFound', 'There is no such session in this project.');
  return { session, project };
}

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
