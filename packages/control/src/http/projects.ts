import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { CallbackReceiver, ProjectDetails } from '@godwit/storage';
import { PROJECT_KEY_CHARS_MAX } from '../limits.js';
import { PROJECT_ID, PROJECT_ID_RULE } from '../projects/project.js';
import { projectParams } from './rest/authorization.js';
import { nothing, timeMs } from './openapi.js';
import { deadView, receiverUrl, replayDead, viewDead } from './rest/callbacks.js';
import type { HttpOptions } from './server.js';

const projectName = z.string().trim().min(1).max(200);
const publicKey = z.string().max(PROJECT_KEY_CHARS_MAX);
const credentialParams = projectParams.extend({ credentialId: z.string().max(64) });
const credential = z.object({ id: z.string(), createdAt: timeMs });
const projectView = z
  .object({
    id: z.string().describe('The API key of server SDKs, and the id of an application.'),
    name: z.string(),
    createdAt: timeMs,
    secrets: z.array(credential).describe('The valid ones, oldest first; what they are is told to nobody.'),
    keys: z.array(credential).describe('The valid public keys, oldest first.'),
    signatureSecret: z.boolean().describe('Whether callbacks are signed with one of their own.'),
    callbackUrls: z.object({ session: z.string().nullable() }),
  })
  .meta({ id: 'Project' });
const madeProject = projectView
  .extend({ secret: z.string().optional().describe('Told this once; absent with a public key.') })
  .meta({ id: 'MadeProject' });
const projectSummary = z.object({ id: z.string(), name: z.string(), createdAt: timeMs });
const auditEntry = z
  .object({
    atMs: timeMs,
    actor: z.string().describe('`admin`, or the id of a project that did it itself.'),
    action: z.string(),
    subject: z.string().describe('The project.'),
    detail: z.unknown().describe('Never a secret.'),
  })
  .meta({ id: 'AuditEntry' });
const tags = ['admin'];
const items = <Item extends z.ZodType>(item: Item) => z.object({ items: z.array(item) });
const PROJECTS = '/admin/v1/projects';
const PROJECT = `${PROJECTS}/:projectId`;

/** Projects for administrators. To be registered where the admin token has been checked. */
export function projectRoutes(app: FastifyInstance, options: HttpOptions): void {
  listRoutes(app, options);
  createRoute(app, options);
  changeRoute(app, options);
  credentialRoutes(app, options);
  deadRoutes(app, options);
}

function listRoutes(app: FastifyInstance, { storage, administration }: HttpOptions): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  const list = {
    summary: 'List the projects',
    tags,
    response: { 200: items(projectSummary).describe('All of them.') },
  };
  typed.get(PROJECTS, { schema: list }, async () => ({
    items: (await storage.projects.list()).map(({ apiKey, name, createdAtMs }) => ({
      id: apiKey,
      name,
      createdAt: createdAtMs,
    })),
  }));
  const read = {
    summary: 'Read a project',
    tags,
    params: projectParams,
    response: { 200: projectView.describe('The project.') },
    errors: ['projectNotFound'],
  } as const;
  typed.get(PROJECT, { schema: read }, async ({ params: { projectId } }) => {
    const { project, receivers } = await administration.get(projectId);
    return viewProject(project, receivers);
  });
  const audit = {
    summary: 'Read the audit',
    tags,
    response: { 200: items(auditEntry).describe('Who made, changed and revoked what.') },
  };
  typed.get('/admin/v1/audit', { schema: audit }, async () => ({ items: await storage.audit.list() }));
}

function createRoute(app: FastifyInstance, { administration }: HttpOptions): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  const id = z.string().regex(PROJECT_ID, PROJECT_ID_RULE);
  const body = z.object({
    id: id.optional().describe('By default a UUID.'),
    name: projectName,
    publicKey: publicKey.optional().describe('With it the project signs by RS256 and gets no secret.'),
  });
  const schema = {
    summary: 'Make a project',
    tags,
    body,
    response: { 201: madeProject.describe('The project, and its secret.') },
    errors: ['projectExists'],
  } as const;
  typed.post(PROJECTS, { schema }, async (request, reply) => {
    const { apiKey, secret } = await administration.create(request.body);
    const { project, receivers } = await administration.get(apiKey);
    return reply.code(201).send({
      ...viewProject(project, receivers),
      // Told this once.
      ...(secret === null ? {} : { secret: secret.secret }),
    });
  });
}

function changeRoute(app: FastifyInstance, { administration }: HttpOptions): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  const body = z.object({
    name: projectName.optional(),
    callbackUrls: z.strictObject({ session: receiverUrl.nullable().optional() }).optional(),
    signatureSecret: z.string().min(16, 'must have at least 16 characters').max(256).nullable().optional(),
  });
  const schema = {
    summary: 'Change a project',
    description: 'What is not named stays. Null takes the receiver, or the signature secret, away.',
    tags,
    params: projectParams,
    body,
    response: { 200: projectView.describe('The project.') },
    errors: ['projectNotFound'],
  } as const;
  typed.put(PROJECT, { schema }, async ({ params: { projectId }, body }) => {
    await administration.update(projectId, body);
    const session = body.callbackUrls?.session;
    if (session !== undefined) await administration.setSessionReceiver(projectId, session);
    const { project, receivers } = await administration.get(projectId);
    return viewProject(project, receivers);
  });
}

function credentialRoutes(app: FastifyInstance, { administration }: HttpOptions): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  const secret = {
    summary: 'Add a secret',
    tags,
    params: projectParams,
    response: {
      201: z.object({ id: z.string(), secret: z.string() }).describe('The secret, told this once.'),
    },
    errors: ['projectNotFound', 'credentialLimit'],
  } as const;
  typed.post(`${PROJECT}/secrets`, { schema: secret }, async (request, reply) =>
    reply.code(201).send(await administration.addSecret(request.params.projectId)),
  );
  const body = z.object({ publicKey });
  const key = {
    summary: 'Add a public key',
    tags,
    params: projectParams,
    body,
    response: { 201: z.object({ id: z.string() }).describe('The id by which it is revoked.') },
    errors: ['projectNotFound', 'credentialLimit'],
  } as const;
  typed.post(`${PROJECT}/keys`, { schema: key }, async (request, reply) =>
    reply
      .code(201)
      .send({ id: await administration.addKey(request.params.projectId, request.body.publicKey) }),
  );
  for (const kind of ['secrets', 'keys'] as const) {
    const schema = {
      summary: kind === 'keys' ? 'Revoke a public key' : 'Revoke a secret',
      tags,
      params: credentialParams,
      response: { 204: nothing },
      errors: ['projectNotFound', 'credentialNotFound', 'lastCredential'],
    } as const;
    typed.delete(`${PROJECT}/${kind}/:credentialId`, { schema }, async (request, reply) => {
      const { projectId, credentialId } = request.params;
      await administration.revoke(projectId, credentialId);
      return reply.code(204).send();
    });
  }
}

function deadRoutes(app: FastifyInstance, { storage, context }: HttpOptions): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  const list = {
    summary: 'List the callbacks that were given up',
    tags,
    response: { 200: items(deadView).describe('Those of all projects.') },
  };
  typed.get('/admin/v1/callbacks/dead', { schema: list }, async () => ({
    items: (await storage.jobs.listDead()).map(viewDead),
  }));
  const schema = {
    summary: 'Send a callback once more that was given up',
    tags,
    params: z.object({ id: z.string().max(128) }),
    response: { 204: nothing },
    errors: ['callbackNotFound'],
  } as const;
  typed.post('/admin/v1/callbacks/dead/:id/replay', { schema }, async (request, reply) => {
    await replayDead({ storage, context }, request.params.id);
    return reply.code(204).send();
  });
}

function viewProject(
  project: ProjectDetails,
  receivers: readonly CallbackReceiver[],
): z.infer<typeof projectView> {
  const ofKind = (kind: 'secret' | 'key'): z.infer<typeof credential>[] =>
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
