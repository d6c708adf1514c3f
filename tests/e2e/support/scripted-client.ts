import { WebSocket } from 'ws';
import { SIGNALLING_PATH, type ConnectResult, type SequencedEvent } from '@godwit/protocol';
import { SignallingLink } from '../../../packages/client/src/signalling/link.js';
import type { Platform, SocketLike } from '../../../packages/client/src/signalling/platform.js';

const nodePlatform: Platform = {
  now: () => performance.now(),
  random: () => Math.random(),
  setTimer: (run, delayMs) => setTimeout(run, delayMs),
  clearTimer: (timer) => clearTimeout(timer),
  createSocket: (url) => new WebSocket(url) as unknown as SocketLike,
};

/** A client without media: the SDK's own signalling, with what it has seen and said. */
export class ScriptedClient {
  readonly name: string;
  readonly events: SequencedEvent[] = [];
  /** The data of the signals that came, in order. */
  readonly heard: string[] = [];
  /** What it said, in order, and control has acknowledged. */
  readonly said: string[] = [];
  /** Signals that control refused, or never answered. */
  readonly failures: string[] = [];
  /** Times that its socket broke. */
  breaks = 0;
  isLost = false;
  connectionId = '';
  readonly #link: SignallingLink;

  constructor(name: string, url: string) {
    this.name = name;
    this.#link = new SignallingLink(nodePlatform, url.replace('http', 'ws') + SIGNALLING_PATH, {
      event: (event) => {
        this.events.push(event);
        if (event.event === 'signal') this.heard.push(event.data);
      },
      reconnecting: () => (this.breaks += 1),
      reconnected: () => undefined,
      lost: () => (this.isLost = true),
      mediaConnected: () => false,
    });
  }

  async join(fields: {
    readonly apiKey: string;
    readonly sessionId: string;
    readonly token: string;
  }): Promise<ConnectResult> {
    const common = { sdkVersion: 'test', sessionMigration: true, pathMethod: 'candidate' } as const;
    const joined = await this.#link.connect({ ...fields, ...common });
    this.connectionId = joined.connection.connectionId;
    this.#link.start();
    return joined;
  }

  /** Says it to everybody in the session, or to one. */
  async say(data: string, to?: string): Promise<void> {
    try {
      await this.#link.request('signal', to === undefined ? { data } : { data, to });
      this.said.push(data);
    } catch (error) {
      this.failures.push(`${data}: ${String(error)}`);
    }
  }

  close(): void {
    this.#link.close();
  }
}
