import type { Logger } from 'pino';
import { WebSocket } from 'ws';
import {
  NODE_CLOSE,
  NODE_MESSAGE_BYTES_MAX,
  NODE_PATH,
  nodeChallenge,
  nodeCommand,
  nodeWelcome,
  type NodeWelcome,
  type NodeCommand,
  type NodeEvent,
  type NodeRegistration,
} from '@godwit/protocol';
import { CONTROL_RECONNECT_MS, CONTROL_RECONNECT_MS_MAX, CONTROL_SILENCE_MS } from '../limits.js';
import { ControlBacklog } from './control-backlog.js';
import type { NodeIdentity } from '../link/identity.js';
import { NodeError } from '../errors.js';

export interface ControlConnectionOptions {
  readonly controlUrl: string;
  readonly joinKey: string;
  readonly identity: NodeIdentity;
  readonly log: Logger;
  readonly clockMs: () => number;
  /** Everything of the registration but the proofs; asked anew at each connection. */
  readonly describe: () => Omit<
    NodeRegistration,
    'type' | 'nodeId' | 'identityKey' | 'linkKey' | 'linkKeySignature' | 'bootId' | 'joinProof' | 'signature'
  >;
  readonly onRegistered: (welcome: NodeWelcome) => void;
  /** The socket has closed. False: it is not dialled again until `open` is called. */
  readonly onLost: () => boolean;
  /** Id that an earlier registration, here or with another control, has given. */
  readonly nodeId: () => string | null;
  /** Resolves with the result; rejects with a NodeError. */
  readonly onCommand: (command: NodeCommand) => Promise<unknown>;
  /** The join key or identity was refused: trying again is of no use. */
  readonly onRefused: (reason: string) => void;
}

/**
 * The node's socket to one control. Dials again for ever with a growing, bounded pause; running calls do not depend on it.
 * Events wait while it is away, but for those that are repeated anyway.
 */
export class ControlConnection {
  readonly #options: ControlConnectionOptions;
  #socket: WebSocket | null = null;
  #registered = false;
  readonly #backlog = new ControlBacklog();
  #attempts = 0;
  #retry: NodeJS.Timeout | null = null;
  #closed = false;
  #heardAtMs = Number.NEGATIVE_INFINITY;
  #dialledAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: ControlConnectionOptions) {
    this.#options = options;
  }

  get connected(): boolean {
    return this.#registered;
  }
  /** When control last said anything. */
  get heardAtMs(): number {
    return this.#heardAtMs;
  }

  /** Dials, unless it does already. */
  open(): void {
    if (this.#socket !== null || this.#closed) return;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
    const url = new URL(NODE_PATH, this.#options.controlUrl);
    url.protocol = url.protocol.replace(/^http/, 'ws');
    const socket = new WebSocket(url, {
      maxPayload: NODE_MESSAGE_BYTES_MAX,
      perMessageDeflate: false,
      handshakeTimeout: CONTROL_SILENCE_MS,
      // Packets pass between two commands: a drain begins with dozens of them in one read, and each takes a millisecond.
      allowSynchronousEvents: false,
    });
    this.#socket = socket;
    this.#dialledAtMs = this.#options.clockMs();
    socket.on('message', (data: Buffer) => {
      this.#heardAtMs = this.#options.clockMs();
      this.#receive(socket, data);
    });
    socket.on('ping', () => {
      this.#heardAtMs = this.#options.clockMs();
    });
    socket.on('error', (error) => {
      if (this.#attempts === 0) this.#options.log.warn({ error: error.message }, 'control cannot be reached');
    });
    socket.on('close', (code) => {
      this.#lost(code);
    });
  }

  send(event: NodeEvent): void {
    if (this.#registered) this.#socket?.send(JSON.stringify(event));
    else this.#backlog.keep(event);
  }

  /** Closes a socket over which nothing has come for too long. */
  tick(nowMs: number): void {
    // One that answers the dial and then says nothing is as good as away.
    const sinceMs = this.#registered ? this.#heardAtMs : this.#dialledAtMs;
    if (nowMs - sinceMs > CONTROL_SILENCE_MS) this.#socket?.terminate();
  }

  close(): void {
    this.#closed = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#socket?.close(1000);
    this.#socket?.terminate();
  }

  #receive(socket: WebSocket, data: Buffer): void {
    const message = parseJson(data);
    if (this.#registered) {
      this.#command(socket, message);
      return;
    }
    const challenge = nodeChallenge.safeParse(message);
    if (challenge.success) {
      socket.send(JSON.stringify(this.#registration(Buffer.from(challenge.data.nonce, 'base64'))));
      return;
    }
    const welcome = nodeWelcome.safeParse(message);
    if (!welcome.success) return;
    this.#registered = true;
    this.#attempts = 0;
    this.#options.onRegistered(welcome.data);
    for (const text of this.#backlog.takeAll()) socket.send(text);
  }

  #registration(nonce: Buffer): NodeRegistration {
    const { identity, joinKey, describe } = this.#options;
    const nodeId = this.#options.nodeId();
    const joinProof = identity.joinProof(joinKey, nonce);
    return {
      type: 'register',
      ...(nodeId === null ? {} : { nodeId }),
      identityKey: identity.identityKey.toString('base64'),
      linkKey: identity.linkKey.toString('base64'),
      linkKeySignature: identity.linkKeySignature.toString('base64'),
      bootId: identity.bootId,
      joinProof: joinProof.toString('base64'),
      signature: identity.sign(Buffer.concat([nonce, joinProof])).toString('base64'),
      ...describe(),
    };
  }

  #command(socket: WebSocket, message: unknown): void {
    const parsed = nodeCommand.safeParse(message);
    if (!parsed.success) {
      const id = (message as { id?: unknown } | null)?.id;
      this.#options.log.error(
        { issue: parsed.error.issues[0]?.message },
        'control sent a command that is not one',
      );
      if (typeof id === 'number')
        reply(socket, id, new NodeError('invalid', 'the command does not fit its schema'));
      return;
    }
    this.#options
      .onCommand(parsed.data)
      .then((result) => {
        if (socket.readyState === WebSocket.OPEN) {
          socket.send(JSON.stringify({ replyTo: parsed.data.id, ok: true, result: result ?? {} }));
        }
      })
      .catch((error: unknown) => {
        const known = error instanceof NodeError;
        if (!known)
          this.#options.log.error({ error: String(error), command: parsed.data.type }, 'a command failed');
        reply(
          socket,
          parsed.data.id,
          known ? error : new NodeError('internal', 'the command failed inside the node'),
        );
      });
  }

  #lost(code: number): void {
    const wasRegistered = this.#registered;
    this.#registered = false;
    this.#socket = null;
    if (this.#closed) return;
    if (code === NODE_CLOSE.badProof) {
      this.#options.onRefused('control refused the join key or the identity');
      return;
    }
    if (wasRegistered) this.#options.log.warn({ code }, 'lost control; calls go on, trying again');
    if (!this.#options.onLost()) return;
    const pause = Math.min(CONTROL_RECONNECT_MS * 2 ** this.#attempts, CONTROL_RECONNECT_MS_MAX);
    this.#attempts += 1;
    this.#retry = setTimeout(() => {
      this.#retry = null;
      this.open();
    }, pause);
  }
}

function reply(socket: WebSocket, replyTo: number, error: NodeError): void {
  if (socket.readyState !== WebSocket.OPEN) return;
  socket.send(JSON.stringify({ replyTo, ok: false, error: { code: error.code, message: error.message } }));
}

function parseJson(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString('utf8'));
  } catch {
    return null;
  }
}
