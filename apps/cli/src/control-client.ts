import { readFile } from 'node:fs/promises';
import { parseSettings, secretsPath } from '@godwit/control';
import { readSettings } from '@godwit/protocol';
import { SignJWT } from 'jose';
import { CliError } from './errors.js';
import { commandSettingsTable } from './settings/table.js';
import { PROJECT_TOKEN_SECONDS, REQUEST_TIMEOUT_MS } from './limits.js';

interface Credentials {
  readonly url: string;
  readonly apiKey: string;
  readonly apiSecret: string;
  readonly adminToken: string;
}

/** Speaks to control's admin and REST APIs with the credentials of the environment or of the data folder. */
export class ControlClient {
  readonly #credentials: Credentials;

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
  }

  /** Reads GODWIT_CONTROL_URL and the credentials; throws a CliError that names what is missing. */
  static async fromEnvironment(env: Readonly<NodeJS.ProcessEnv>): Promise<ControlClient> {
    const settings = parseSettings(env);
    const { GODWIT_CONTROL_URL: url } = readSettings(commandSettingsTable, env);
    const kept = await readKeptSecrets(settings.dataDir);
    const credentials = {
      url: (url ?? `http://127.0.0.1:${settings.port}`).replace(/\/+$/, ''),
      apiKey: settings.apiKey ?? kept['apiKey'],
      apiSecret: settings.apiSecret ?? kept['apiSecret'],
      adminToken: settings.adminToken ?? kept['adminToken'],
    };
    const { apiKey, apiSecret, adminToken } = credentials;
    if (apiKey === undefined || apiSecret === undefined || adminToken === undefined) {
      throw new CliError(
        'configuration',
        `No credentials in ${secretsPath(settings.dataDir)}. Run this where the platform runs, or set GODWIT_CONTROL_URL, ` +
          'GODWIT_ADMIN_TOKEN, GODWIT_API_KEY and GODWIT_API_SECRET.',
      );
    }
    return new ControlClient({ url: credentials.url, apiKey, apiSecret, adminToken });
  }

  /** GET under /admin/v1. */
  admin(path: string): Promise<unknown> {
    return this.#request('GET', `/admin/v1/${path}`, {
      authorization: `Bearer ${this.#credentials.adminToken}`,
    });
  }

  /** A change under /admin/v1. */
  changeAdmin(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<unknown> {
    const authorization = `Bearer ${this.#credentials.adminToken}`;
    return this.#request(method, `/admin/v1/${path}`, { authorization }, body);
  }

  /** A request under the session's REST path (`/v2/project/{apiKey}/session/{sessionId}`). */
  async session(method: 'GET' | 'POST', sessionId: string, path: string, body?: unknown): Promise<unknown> {
    const { apiKey } = this.#credentials;
    const route = `/v2/project/${apiKey}/session/${encodeURIComponent(sessionId)}/${path}`;
    return this.#request(method, route, { 'x-opentok-auth': await this.#projectToken() }, body);
  }

  #projectToken(): Promise<string> {
    const { apiKey, apiSecret } = this.#credentials;
    return new SignJWT({ ist: 'project' })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer(apiKey)
      .setIssuedAt()
      .setExpirationTime(`${PROJECT_TOKEN_SECONDS}s`)
      .sign(Buffer.from(apiSecret));
  }

  async #request(
    method: string,
    path: string,
    headers: Record<string, string>,
    body?: unknown,
  ): Promise<unknown> {
    const { url } = this.#credentials;
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    }).catch((cause: unknown) => {
      throw new CliError(
        'unavailable',
        `No answer from ${url}. Is the platform running? Start it, or set GODWIT_CONTROL_URL.`,
        {
          cause,
        },
      );
    });
    const answer: unknown = await response.json().catch(() => undefined);
    if (response.ok) return answer;
    throw new CliError('refused', describeRefusal(response.status, answer));
  }
}

function describeRefusal(status: number, answer: unknown): string {
  const { code, message, description } = (answer ?? {}) as Record<string, unknown>;
  const words = [message, description].filter((part) => typeof part === 'string' && part !== '');
  const number = typeof code === 'number' && code !== status ? `, code ${code}` : '';
  return `control refused (HTTP ${status}${number}): ${[...new Set(words)].map((part) => String(part).replace(/\.$/, '')).join('. ') || 'no reason given'}`;
}

async function readKeptSecrets(dataDir: string): Promise<Readonly<Record<string, string | undefined>>> {
  const text = await readFile(secretsPath(dataDir), 'utf8').catch(() => '{}');
  try {
    return JSON.parse(text) as Record<string, string | undefined>;
  } catch (cause) {
    throw new CliError('configuration', `${secretsPath(dataDir)} is damaged. Restore it from a copy.`, {
      cause,
    });
  }
}
