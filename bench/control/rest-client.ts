import { Agent, request } from 'node:http';
import { projectToken, type Platform } from '@godwit/testing';

/** Longer than any run. */
const TOKEN_SECONDS = 7_200;

/**
 * REST calls that cost the generator little: connections are kept, and the project's JWT is signed once. Control checks it
 * with each request all the same.
 */
export class RestClient {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #platform: Pick<Platform, 'port' | 'apiKey'>;
  readonly #projectToken: Promise<string>;

  constructor(platform: Pick<Platform, 'port' | 'apiKey' | 'apiSecret'>) {
    this.#platform = platform;
    this.#projectToken = projectToken(platform, TOKEN_SECONDS);
  }

  async createSession(): Promise<string> {
    const [created] = (await this.#send('POST', '/session/create', '{}')) as [{ session_id: string }];
    return created.session_id;
  }

  /** Has control make a token for a client. */
  async issueToken(sessionId: string): Promise<string> {
    const { token } = (await this.#send('POST', `${this.#path(sessionId)}/token`, '{}')) as { token: string };
    return token;
  }

  /** Who is in the session: control checks the project's JWT and answers out of its memory when somebody is. */
  async listConnections(sessionId: string): Promise<void> {
    await this.#send('GET', `${this.#path(sessionId)}/connection`);
  }

  close(): void {
    this.#agent.destroy();
  }

  #path(sessionId: string): string {
    return `/v2/project/${this.#platform.apiKey}/session/${sessionId}`;
  }

  /** Rejects on any status but 200. */
  async #send(method: string, path: string, body?: string): Promise<unknown> {
    const headers = {
      'X-OPENTOK-AUTH': await this.#projectToken,
      Accept: 'application/json',
      ...(body === undefined
        ? {}
        : { 'Content-Type': 'application/json', 'Content-Length': String(body.length) }),
    };
    const { port } = this.#platform;
    return new Promise((resolve, reject) => {
      const call = request({ host: '127.0.0.1', port, path, method, headers, agent: this.#agent });
      call.on('error', reject);
      call.on('response', (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('error', reject);
        response.on('end', () => {
          if (response.statusCode === 200) resolve(JSON.parse(text));
          else reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`));
        });
      });
      call.end(body);
    });
  }
}
