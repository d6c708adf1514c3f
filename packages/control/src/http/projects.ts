import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { CallbackReceiver, ProjectDetails } from '@godwit/storage';
import { PROJECT_KEY_CHARS_MAX } from '../limits.js';
import { PROJECT_ID, PROJECT_ID_RULE } from '../projects/project.js';
import { projectParams } from './rest/authorization.js';
import { receiverUrl, replayDead, viewDead } from './rest/callbacks.js';
import type { HttpOptions } from './server.js';

const projectName = z.string().trim().min(1).max(200);
const publicKey = z.string().max(PROJECT_KEY_CHARS_MAX);
const credentialParams = projectParams.extend({ credentialId: z.string().max(64) });
const PROJECTS = '/admin/v1/projects';
const PROJECT = `${PROJECTS}/:projectId`;

/** Projects for administrators. To be registered where the admin token has been checked. */
export function projectRoutes(app: FastifyInstance, options: HttpOptions): void {
  listRoutes(app, options);
  changeRoutes(app, options);
  credentialRoutes(app, options);
  deadRoutes(app, options);
}

function listRoutes(app: FastifyInstance, { storage, administration }: HttpOptions): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  typed.get(PROJECTS, async () => ({
    items: (await storage.projects.list()).map(({ apiKey, name, createdAtMs }) => ({
      id: apiKey,
      name,
      createdAt: createdAtMs,
    })),
  }));
  typed.get(PROJECT, { schema: { params: projectParams } }, async ({ params: { projectId } }) => {
    const { project, receivers } = await administration.get(projectId);
    return viewProject(project, receivers);
  });
  typed.get('/admin/v1/audit', async () => ({ items: await storage.audit.list() }));
}

function changeRoutes(app: FastifyInstance, { administration }: HttpOptions): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  const id = z.string().regex(PROJECT_ID, PROJECT_ID_RULE);
  const create = z.object({ id: id.optional(), name: projectName, publicKey: publicKey.optional() });
  typed.post(PROJECTS, { schema: { body: create } }, async (request, reply) => {
    const { apiKey, secret } = await administration.create(request.body);
    const { project, receivers } = await administration.get(apiKey);
    return reply.code(201).send({
      ...viewProject(project, receivers),
      // Told this once.
      ...(secret === null ? {} : { secret: secret.secret }),
    });
  });
  const update = z.object({
    name: projectName.optional(),
    callbackUrls: z.strictObject({ session: receiverUrl.nullable().optional() }).optional(),
    signatureSecret: z.string().min(16, 'must have at least 16 characters').max(256).nullable().optional(),
  });
  typed.put(
    PROJECT,
    { schema: { params: projectParams, body: update } },
    async ({ params: { projectId }, body }) => {
      await administration.update(projectId, body);
      const session = body.callbackUrls?.session;
      if (session !== undefined) await administration.setSessionReceiver(projectId, session);
      const { project, receivers } = await administration.get(projectId);
      return viewProject(project, receivers);
    },
  );
}

function credentialRoutes(app: FastifyInstance, { administration }: HttpOptions): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  typed.post(`${PROJECT}/secrets`, { schema: { params: projectParams } }, async (request, reply) =>
    reply.code(201).send(await administration.addSecret(request.params.projectId)),
  );
  const body = z.object({ publicKey });
  typed.post(`${PROJECT}/keys`, { schema: { params: projectParams, body } }, async (request, reply) =>
    reply
      .code(201)
      .send({ id: await administration.addKey(request.params.projectId, request.body.publicKey) }),
  );
  for (const kind of ['secrets', 'keys']) {
    const schema = { params: credentialParams };
    typed.delete(`${PROJECT}/${kind}/:credentialId`, { schema }, async (request, reply) => {
      const { projectId, credentialId } = request.params;
      await administration.revoke(projectId, credentialId);
      return reply.code(204).send();
    });
  }
}

function deadRoutes(app: FastifyInstance, { storage, context }: HttpOptions): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  typed.get('/admin/v1/callbacks/dead', async () => ({
    items: (await storage.jobs.listDead()).map(viewDead),
  }));
  const schema = { params: z.object({ id: z.string().max(128) }) };
  typed.post('/admin/v1/callbacks/dead/:id/replay', { schema }, async (request, reply) => {
    await replayDead({ storage, context }, request.params.id);
    return reply.code(204).send();
  });
}

function viewProject(project: ProjectDetails, receivers: readonly CallbackReceiver[]): object {
  const ofKind = (kind: 'secret' | 'key'): object[] =>
    project.credentials
      .filter((credential) => credential.kind === kind)
      .map(({ credentialId, createdAtMs }) => ({ id: credentialId, createdAt: createdAtMs }));
  return {
    id: project.apiKey,
    name: project.name,
    createdAt: project.createdAtMs,
    secrets: ofKind('secret'),
    keys: ofKind('key'),
    signatureSecret: project.signatureSecret !== null,
    callbackUrls: {
      session: receivers.find(({ callbackId }) => callbackId === `${project.apiKey}.session`)?.url ?? null,
    },
  };
}
