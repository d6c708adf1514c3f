import {
  nodeMessage,
  nodeResults,
  type NodeCommand,
  type NodeCommandType,
  type NodeErrorCode,
  type NodeEvent,
  type NodeResult,
  type SessionTerm,
} from '@godwit/protocol';
import { NODE_COMMANDS_PENDING_MAX, NODE_COMMAND_TIMEOUT_MS } from '../limits.js';

/** Why a command did not succeed: the node's own word, or that none came. */
export class NodeCommandError extends Error {
  readonly code: NodeErrorCode | 'timeout' | 'disconnected' | 'bad-answer';

  constructor(code: NodeCommandError['code'], message: string) {
    super(message);
    this.name = 'NodeCommandError';
    this.code = code;
  }
}

/** The command did not succeed for just this reason. */
export function isCommandError(error: unknown, code: NodeCommandError['code']): boolean {
  return error instanceof NodeCommandError && error.code === code;
}

/** A command without its id and without on whose behalf it comes. */
export type CommandFields<T extends NodeCommandType> = Omit<
  Extract<NodeCommand, { type: T }>,
  'id' | 'type' | 'on'
>;

interface Pending {
  readonly type: NodeCommandType;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: NodeCommandError) => void;
  readonly timer: NodeJS.Timeout;
}

export interface NodeSessionOptions {
  readonly nodeId: string;
  readonly send: (text: string) => void;
  readonly onEvent: (event: NodeEvent) => void;
  readonly commandTimeoutMs?: number;
}

/** Commands to one registered node and the answers and events that come back. Knows no socket. */
export class NodeSession {
  readonly nodeId: string;
  readonly #options: NodeSessionOptions;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #closed = false;

  constructor(options: NodeSessionOptions) {
    this.nodeId = options.nodeId;
    this.#options = options;
  }

  /** Sends a command and answers what the node replied, validated. Rejects with a NodeCommandError. */
  command<T extends NodeCommandType>(
    type: T,
    fields: CommandFields<T>,
    on?: SessionTerm,
  ): Promise<NodeResult<T>> {
    if (this.#closed)
      return Promise.reject(new NodeCommandError('disconnected', `${this.nodeId} is not connected`));
    if (this.#pending.size >= NODE_COMMANDS_PENDING_MAX) {
      return Promise.reject(new NodeCommandError('timeout', `${this.nodeId} has stopped answering`));
    }
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new NodeCommandError('timeout', `${this.nodeId} did not answer ${type} in time`));
      }, this.#options.commandTimeoutMs ?? NODE_COMMAND_TIMEOUT_MS);
      this.#pending.set(id, { type, resolve: (result) => resolve(result as NodeResult<T>), reject, timer });
      this.#options.send(JSON.stringify({ ...fields, type, id, on }));
    });
  }

  /** A message from the node. False when it is malformed. */
  receive(message: unknown): boolean {
    const parsed = nodeMessage.safeParse(message);
    if (!parsed.success) return false;
    if ('event' in parsed.data) {
      this.#options.onEvent(parsed.data);
      return true;
    }
    const reply = parsed.data;
    const pending = this.#pending.get(reply.replyTo);
    if (pending === undefined) return true;
    this.#pending.delete(reply.replyTo);
    clearTimeout(pending.timer);
    if (reply.ok) this.#succeed(pending, reply.result);
    else pending.reject(new NodeCommandError(reply.error.code, `${this.nodeId}: ${reply.error.message}`));
    return true;
  }

  /** The socket is gone: every command that waits has failed. */
  close(): void {
    this.#closed = true;
    for (const pending of this.#pending.values()) {
      clearTimeout(pending.timer);
      pending.reject(new NodeCommandError('disconnected', `${this.nodeId} went away`));
    }
    this.#pending.clear();
  }

  #succeed(pending: Pending, result: unknown): void {
    if (!hasResult(pending.type)) {
      pending.resolve({});
      return;
    }
    const parsed = nodeResults[pending.type].safeParse(result);
    if (parsed.success) pending.resolve(parsed.data);
    else
      pending.reject(
        new NodeCommandError('bad-answer', `${this.nodeId} answered ${pending.type} with something else`),
      );
  }
}

function hasResult(type: NodeCommandType): type is keyof typeof nodeResults {
  return type in nodeResults;
}
