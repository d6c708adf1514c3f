import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { SESSION_ID_CHARS_MAX } from '@godwit/protocol';
import { newSessionRecord, type SessionRecord } from '@godwit/storage';
import type { ControlContext } from '../context.js';
import { ControlError } from '../errors.js';
import { newSessionId } from '../ids.js';
import { DEMO_SESSIONS_MAX, DEMO_TOKEN_LIFETIME_SECONDS } from '../limits.js';
import { migrationStarted, viewMigration, viewStarted } from '../migration/view.js';
import { keepSession } from '../roster/keep.js';
import type { SessionState } from '../roster/state.js';
import { issueClientToken } from '../tokens/client-token.js';
import { viewSession } from './admin.js';
import { nodeCounts, viewNode } from './node-view.js';
import type { HttpOptions } from './server.js';
import { systemUrl } from './system-url.js';

const DEFAULT_DEMO_NAME = 'demo';
/** Migrations that the page shows. */
const DEMO_MIGRATIONS_SHOWN_MAX = 20;
const demoName = z
  .string()
  .regex(/^[\w .-]{1,64}$/, 'must be 1 to 64 letters, digits, spaces, dots or hyphens');

/**
 * What the demo page needs without any secret in it: publisher tokens, owners and migrations, for sessions that the
 * page itself made and for no others.
 */
export function demoRoutes(app: FastifyInstance, options: HttpOptions, done: () => void): void {
  const { context, migrations, firstProject } = options;
  const typed = app.withTypeProvider<ZodTypeProvider>();
  const params = z.object({ sessionId: z.string().max(SESSION_ID_CHARS_MAX) });

  typed.post(
    '/demo/session',
    { schema: { hide: true, body: z.object({ session: demoName.optional() }).nullish() } },
    async (request) => {
      const project = await context.projects.find(firstProject);
      if (project === null) throw new ControlError('internal', 'The project of the settings is gone.');
      const { sessionId } = await demoSession(
        context,
        project.apiKey,
        request.body?.session ?? DEFAULT_DEMO_NAME,
      );
      const nowMs = context.clockMs();
      const expiresAtSeconds = Math.floor(nowMs / 1_000) + DEMO_TOKEN_LIFETIME_SECONDS;
      const wish = {
        sessionId,
        role: 'publisher',
        data: '',
        expiresAtSeconds,
        url: systemUrl(request),
      } as const;
      return {
        apiKey: project.apiKey,
        sessionId,
        token: await issueClientToken(wish, project, nowMs),
      };
    },
  );

  const body = z
    .object({ target: z.string().max(64).optional(), rehearsal: z.boolean().optional() })
    .nullish();
  const start = { hide: true, params, body, response: { 200: migrationStarted } };
  typed.post('/demo/sessions/:sessionId/migrate', { schema: start }, async (request) => {
    const session = await findDemoSession(context, request.params.sessionId);
    const { target = null, rehearsal = false } = request.body ?? {};
    // The page's button is for pressing again and again.
    return viewStarted(await migrations.start(session, { target, rehearsal, ignoreMinAge: true }));
  });

  typed.get('/demo/sessions/:sessionId', { schema: { hide: true, params } }, async (request) => {
    const session = await findDemoSession(context, request.params.sessionId);
    const counts = await nodeCounts(context);
    const history = await context.storage.migrations.listOfSession(session.sessionId);
    const shown = history.slice(0, DEMO_MIGRATIONS_SHOWN_MAX);
    return {
      ...viewSession(session),
      nodes: context.nodes.list().map((node) => viewNode(node, counts)),
      migrations: await Promise.all(shown.map((migration) => viewMigration(context.storage, migration))),
    };
  });
  done();
}

async function findDemoSession(context: ControlContext, sessionId: string): Promise<SessionState> {
  const session = await keepSession(context, sessionId);
  if (session?.record.demo !== true)
    throw new ControlError('sessionNotFound', 'There is no such demo session.');
  return session;
}

async function demoSession(context: ControlContext, apiKey: string, name: string): Promise<SessionRecord> {
  const { sessions } = context.storage;
  // Names are a project's own: with another API key the same data folder has other sessions.
  const demoName = `${apiKey}/${name}`;
  const existing = await sessions.getByDemoName(demoName);
  if (existing !== null) return existing;
  // The default one is always there, however many others were made.
  if (name !== DEFAULT_DEMO_NAME && (await sessions.countDemo()) >= DEMO_SESSIONS_MAX) {
    throw new ControlError(
      'demoLimit',
      `There are ${DEMO_SESSIONS_MAX} demo sessions already; join one of them by its name.`,
    );
  }
  const createdAtMs = context.clockMs();
  const sessionId = newSessionId(apiKey, '', createdAtMs);
  const record = newSessionRecord({ sessionId, apiKey, createdAtMs, demoName });
  if (await sessions.create(record)) return record;
  // Two pages asked at once: the other one's session is as good.
  const other = await sessions.getByDemoName(demoName);
  if (other === null) throw new ControlError('internal', 'The demo session could not be made.');
  return other;
}
