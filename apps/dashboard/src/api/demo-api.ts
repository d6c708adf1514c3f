import { REQUEST_TIMEOUT_MS } from '../limits.js';
import { problem, problemOfAnswer, type Problem } from '../problems.js';
import { isRecord, parseSnapshot, type Snapshot } from './snapshot.js';

/** An answer, or the problem in words. The world's bad luck is a value here, nothing throws. */
export type Answer<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem };

/** What it takes to join: a publisher's token, nothing that could moderate. */
export interface Admission {
  readonly apiKey: string;
  readonly sessionId: string;
  readonly token: string;
}

/** Creates or joins the demo session of that name (the server's default one when empty). */
export async function admit(sessionName: string | null): Promise<Answer<Admission>> {
  const answer = await request('POST', '/demo/session', sessionName === null ? {} : { session: sessionName });
  if (!answer.ok) return answer;
  const { apiKey, sessionId, token } = isRecord(answer.value) ? answer.value : {};
  if (typeof sessionId !== 'string' || typeof token !== 'string')
    return failed(problem('server-unreachable'));
  return { ok: true, value: { apiKey: String(apiKey), sessionId, token } };
}

/** Asks for a move; the answer is the migration's id. */
export async function migrate(sessionId: string, target: string | null): Promise<Answer<string>> {
  const path = `/demo/sessions/${encodeURIComponent(sessionId)}/migrate`;
  const answer = await request('POST', path, target === null ? {} : { target });
  if (!answer.ok) return answer;
  const id = isRecord(answer.value) ? answer.value.id : undefined;
  return typeof id === 'string' ? { ok: true, value: id } : failed(problem('move-refused'));
}

/** Reads who is where, and the moves so far. */
export async function readSnapshot(sessionId: string): Promise<Answer<Snapshot>> {
  const answer = await request('GET', `/demo/sessions/${encodeURIComponent(sessionId)}`);
  if (!answer.ok) return answer;
  const snapshot = parseSnapshot(answer.value);
  return snapshot === null ? failed(problem('server-unreachable')) : { ok: true, value: snapshot };
}

async function request(method: 'GET' | 'POST', path: string, body?: object): Promise<Answer<unknown>> {
  try {
    const response = await fetch(path, {
      method,
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      cache: 'no-store',
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const value: unknown = await response.json().catch(() => null);
    if (response.ok) return { ok: true, value };
    return failed(problemOf(path, response.status, value));
  } catch {
    return failed(problem('server-unreachable'));
  }
}

function problemOf(path: string, status: number, body: unknown): Problem {
  const fields = isRecord(body) ? body : {};
  const code = typeof fields.code === 'number' || typeof fields.code === 'string' ? fields.code : null;
  const said = [fields.description, fields.message].find((one) => typeof one === 'string') ?? '';
  if (status === 404) return path === '/demo/session' ? problem('demo-off') : problem('session-over');
  if (path === '/demo/session' && status === 503) return problem('no-node', String(said));
  return problemOfAnswer(status, code, String(said));
}

function failed(reason: Problem): { ok: false; problem: Problem } {
  return { ok: false, problem: reason };
}
