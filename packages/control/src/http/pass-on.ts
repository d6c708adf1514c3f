import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ControlContext } from '../context.js';
import { ControlError } from '../errors.js';
import { FORWARD_TIMEOUT_MS, KEEPER_POLL_MS, KEEPER_WAIT_MS } from '../limits.js';
import type { KeptElsewhere } from '../replicas/kept-elsewhere.js';
import { PASSED_ON_HEADER } from '../signalling/tunnel.js';

/** Of the request: what authenticates the caller and names the body. */
const HEADERS_PASSED = ['authorization', 'x-opentok-auth', 'x-forwarded-for', 'user-agent'] as const;
/** Of the answer. */
const HEADERS_ANSWERED = ['content-type', 'retry-after'] as const;

/**
 * Answers a request about a session that another control keeps with what that one answers; it judges the caller anew. While it does
 * not listen, the next may take the session over. Throws a ControlError.
 */
export async function passOn(
  context: ControlContext,
  request: FastifyRequest,
  reply: FastifyReply,
  { sessionId, keeper }: KeptElsewhere,
): Promise<FastifyReply> {
  if (PASSED_ON_HEADER in request.headers) throw notReady();
  const deadlineMs = context.clockMs() + KEEPER_WAIT_MS;
  for (let url = keeper.url; ;) {
    const answer = url === null ? null : await ask(request, url);
    // It has let go of the session between the two looks.
    const isSettled = answer !== null && answer.headers.get(PASSED_ON_HEADER) === null;
    if (isSettled) return copy(answer, reply);
    if (context.clockMs() > deadlineMs) throw notReady();
    await new Promise((resolve) => setTimeout(resolve, KEEPER_POLL_MS));
    url = (await keeperUrl(context, sessionId)) ?? url;
  }
}

/** Whoever keeps it now; ourselves, should nobody. */
async function keeperUrl({ storage, membership }: ControlContext, sessionId: string): Promise<string | null> {
  const keeper = await storage.replicas.keeperOf(sessionId);
  if (keeper !== null) return keeper.url;
  return membership.replicas().find(({ replicaId }) => replicaId === membership.replicaId)?.url ?? null;
}

/** Null when nothing can have come of it. Throws when something may have. */
async function ask(request: FastifyRequest, keeper: string): Promise<Response | null> {
  const headers = new Headers({ [PASSED_ON_HEADER]: '1' });
  for (const name of HEADERS_PASSED) {
    const value = request.headers[name];
    if (typeof value === 'string') headers.set(name, value);
  }
  const hasBody = request.body !== undefined && request.body !== null;
  if (hasBody) headers.set('content-type', 'application/json');
  try {
    return await fetch(targetAt(keeper, request.url), {
      method: request.method,
      headers,
      redirect: 'manual',
      signal: AbortSignal.timeout(FORWARD_TIMEOUT_MS),
      ...(hasBody ? { body: JSON.stringify(request.body) } : {}),
    });
  } catch (error) {
    if (isUnreached(error)) return null;
    throw notReady();
  }
}

/** A request line may name a whole URL (RFC 9112 3.2.2): only its path and query are the caller's to choose. */
function targetAt(keeper: string, requested: string): URL {
  const { pathname, search } = new URL(requested, 'http://unused');
  const target = new URL(keeper);
  target.pathname = pathname;
  target.search = search;
  return target;
}

/** Nobody listens there: the request has not been sent. */
function isUnreached(error: unknown): boolean {
  const cause = (error as { cause?: { code?: unknown } }).cause;
  return cause?.code === 'ECONNREFUSED' || cause?.code === 'EHOSTUNREACH' || cause?.code === 'ENOTFOUND';
}

async function copy(answer: Response, reply: FastifyReply): Promise<FastifyReply> {
  for (const name of HEADERS_ANSWERED) {
    const value = answer.headers.get(name);
    if (value !== null) void reply.header(name, value);
  }
  const body = Buffer.from(await answer.arrayBuffer());
  return reply.code(answer.status).send(body.length === 0 ? undefined : body);
}

const notReady = (): ControlError =>
  new ControlError(
    'unavailable',
    'The control that keeps the session does not answer; ask again in a moment.',
  );
