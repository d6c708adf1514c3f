import {
  CONTROL_RECONNECT_MS,
  CONTROL_RECONNECT_MS_MAX,
  CONTROL_SILENCE_MS,
  ControlBacklog,
  NodeError,
  type ControlChannel,
} from '@godwit/node/core';
import type { NodeCommand, NodeEvent } from '@godwit/protocol';
import type { ChannelEnd } from './channel.js';
import type { SimProcess } from './process.js';
import type { World } from './world.js';

export interface NodeLinkOptions {
  readonly world: World;
  readonly process: SimProcess;
  /** Null while no control can be dialled. */
  readonly dial: () => ChannelEnd | null;
  /** What the node says of itself at each connection. */
  readonly registration: (nodeId: string | null) => string;
  readonly onRegistered: (nodeId: string) => void;
  readonly onCommand: (command: NodeCommand) => Promise<unknown>;
  readonly onEvent: (event: NodeEvent) => void;
}

/** What control sends on a channel to show that it lives, as WebSocket pings do. */
export const PING = 'ping';

/** A node's way to control: what ControlConnection is over a WebSocket, over a virtual channel. */
export class NodeLink implements ControlChannel {
  nodeId: string | null = null;
  heardAtMs = Number.NEGATIVE_INFINITY;
  readonly #options: NodeLinkOptions;
  #end: ChannelEnd | null = null;
  #isRegistered = false;
  #attempts = 0;
  readonly #backlog = new ControlBacklog();

  constructor(options: NodeLinkOptions) {
    this.#options = options;
  }

  get isRegistered(): boolean {
    return this.#isRegistered;
  }

  open(): void {
    const end = this.#options.dial();
    if (end === null) {
      this.#lost();
      return;
    }
    this.#end = end;
    end.onMessage = (text) => {
      this.heardAtMs = this.#options.process.clockMs();
      if (text !== PING) this.#receive(end, JSON.parse(text) as unknown);
    };
    end.onClose = () => {
      this.#lost();
    };
    end.send(this.#options.registration(this.nodeId));
  }

  send(event: NodeEvent): void {
    this.#options.onEvent(event);
    if (this.#isRegistered) this.#end?.send(JSON.stringify(event));
    else this.#backlog.keep(event);
  }

  tick(nowMs: number): void {
    if (!this.#isRegistered || nowMs - this.heardAtMs <= CONTROL_SILENCE_MS) return;
    this.#end?.close();
    this.#lost();
  }

  #receive(end: ChannelEnd, message: unknown): void {
    if (this.#isRegistered) {
      this.#command(end, message as NodeCommand);
      return;
    }
    const { type, nodeId } = message as { type?: unknown; nodeId?: unknown };
    if (type !== 'welcome' || typeof nodeId !== 'string') return;
    this.#isRegistered = true;
    this.#attempts = 0;
    this.nodeId = nodeId;
    this.#options.onRegistered(nodeId);
    for (const text of this.#backlog.takeAll()) end.send(text);
  }

  #command(end: ChannelEnd, command: NodeCommand): void {
    const replyTo = command.id;
    this.#options.onCommand(command).then(
      (result) => {
        end.send(JSON.stringify({ replyTo, ok: true, result: result ?? {} }));
      },
      (error: unknown) => {
        // Anything else is a bug of the node, and ends the run.
        if (!(error instanceof NodeError)) throw error;
        const { code, message } = error;
        end.send(JSON.stringify({ replyTo, ok: false, error: { code, message } }));
      },
    );
  }

  #lost(): void {
    this.#isRegistered = false;
    this.#end = null;
    const { world, process } = this.#options;
    const pauseMs = Math.min(CONTROL_RECONNECT_MS * 2 ** this.#attempts, CONTROL_RECONNECT_MS_MAX);
    this.#attempts += 1;
    world.afterIn(process, pauseMs, () => {
      world.settles();
      this.open();
    });
  }
}
