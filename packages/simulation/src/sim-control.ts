import {
  ControlCore,
  endConnection,
  handleRestartAnswer,
  keepSession,
  restartAtOwner,
  resume,
  startGrace,
  TICK_INTERVAL_MS,
  type ClientSocket,
  type ConnectionState,
  type ControlContext,
} from '@godwit/control/core';
import type { NodeRegistration } from '@godwit/protocol';
import type { RosterStorage } from '@godwit/storage';
import type { ChannelEnd } from './channel.js';
import type { ClientRequest, ControlMessage } from './client-messages.js';
import { join, liveStreams, subscribe, unsubscribe, type Numbers } from './negotiation.js';
import { PING } from './node-link.js';
import type { SimProcess } from './process.js';
import { silentLog } from './silent-log.js';
import { slowStorage } from './slow-storage.js';
import type { World } from './world.js';

/** Wall clock of every run's beginning, milliseconds since 1970. */
const WALL_CLOCK_MS = 1_700_000_000_000;

export interface ControlWorld {
  readonly world: World;
  readonly storage: RosterStorage;
  readonly numbers: Numbers;
  readonly sessionId: string;
  /** How often nodes hear from control, at this time of the run. */
  readonly pingIntervalMs: () => number;
  readonly onError: (who: string, message: string, details: unknown) => void;
}

/** Control's decisions in a process of their own, over virtual channels. */
export class SimControl {
  readonly process: SimProcess;
  readonly core: ControlCore;
  readonly #options: ControlWorld;
  readonly #nodeEnds = new Set<ChannelEnd>();
  #isReady = false;

  private constructor(options: ControlWorld, process: SimProcess) {
    this.#options = options;
    this.process = process;
    const { world, storage } = options;
    this.core = new ControlCore({
      storage: slowStorage(world, process, storage),
      log: silentLog((message, details) => {
        options.onError(process.name, message, details);
      }),
      clockMs: () => WALL_CLOCK_MS + process.clockMs(),
      projects: { find: () => Promise.resolve(null) },
      migrationMinAgeMs: 0,
    });
  }

  /** Recovers what an earlier control left, then lets nodes and clients in. Runs inside its process. */
  static async boot(options: ControlWorld, process: SimProcess): Promise<SimControl> {
    const control = new SimControl(options, process);
    await control.core.recover();
    control.#isReady = true;
    control.#tick();
    control.#ping();
    return control;
  }

  get isReady(): boolean {
    return this.#isReady;
  }
  get context(): ControlContext {
    return this.core.context;
  }

  /** A node's socket: its registration, then answers and events. */
  acceptNode(end: ChannelEnd): void {
    const { nodes } = this.context;
    let session: Awaited<ReturnType<typeof nodes.register>> = null;
    let isRegistering = false;
    const closed = (): void => {
      this.#nodeEnds.delete(end);
      if (session !== null) nodes.socketClosed(session);
    };
    const disconnect = (): void => {
      end.close();
      this.#options.world.soon(this.process, () => {
        this.#options.world.settles();
        closed();
      });
    };
    end.onClose = closed;
    end.onMessage = (text) => {
      const message = JSON.parse(text) as unknown;
      if (session !== null) {
        if (!session.receive(message)) this.#error('malformed message from a node', text);
        return;
      }
      if (isRegistering) return;
      isRegistering = true;
      this.#nodeEnds.add(end);
      this.#watch(
        nodes
          .register(message as NodeRegistration, {
            send: (out) => {
              end.send(out);
            },
            disconnect,
          })
          .then((registered) => {
            session = registered;
            // It may have gone while its row was written.
            if (session === null) end.close();
            else if (!end.isOpen) nodes.socketClosed(session);
          }),
      );
    };
  }

  /** A client's socket. */
  acceptClient(end: ChannelEnd): void {
    let connection: ConnectionState | null = null;
    const socket: ClientSocket = {
      send: (message) => {
        end.send(JSON.stringify(message));
      },
      close: () => {
        end.close();
      },
    };
    end.onClose = () => {
      if (connection?.channel.detach(socket) === true) startGrace(this.context, connection);
    };
    const attach = (to: ConnectionState, afterSeq: number): void => {
      connection = to;
      to.channel.attach(socket, afterSeq);
      if (!end.isOpen && to.channel.detach(socket)) startGrace(this.context, to);
    };
    end.onMessage = (text) => {
      const request = JSON.parse(text) as ClientRequest;
      this.#watch(this.#answer(request, connection, (message) => end.send(JSON.stringify(message)), attach));
    };
  }

  async #answer(
    request: ClientRequest,
    connection: ConnectionState | null,
    send: (message: ControlMessage) => void,
    attach: (connection: ConnectionState, afterSeq: number) => void,
  ): Promise<void> {
    const { context } = this;
    if (request.type === 'join') {
      const made = await this.#join(request);
      if (made === null) send({ answer: 'refused' });
      else {
        send(made.joined);
        attach(made.connection, made.joined.seq);
      }
      return;
    }
    if (request.type === 'resume') {
      this.#resume(request, send, attach);
      return;
    }
    if (connection === null || connection.ended) return;
    switch (request.type) {
      case 'subscribe': {
        const ssrc = await subscribe(context, connection, request.streamId, this.#options.numbers);
        if (ssrc !== null) send({ answer: 'subscribed', streamId: request.streamId, ssrc });
        return;
      }
      case 'unsubscribe':
        await unsubscribe(context, connection, request.streamId);
        return;
      case 'restartAnswer':
        refusable(() => {
          handleRestartAnswer(context, connection, request.restartId, request.sdp);
        });
        return;
      case 'requestRestart':
        // Refused while the node is away: the client asks again.
        await connection.lock.run(() => restartAtOwner(context, connection)).catch(() => undefined);
        return;
      case 'leave':
        await endConnection(context, connection, 'clientDisconnected');
        return;
    }
  }

  async #join(request: Extract<ClientRequest, { type: 'join' }>): ReturnType<typeof join> {
    const session = await keepSession(this.context, this.#options.sessionId);
    const inService = this.context.nodes.list().filter((node) => node.inService);
    if (session === null || inService.length === 0) return null;
    const { nodeId } = this.#options.world.random.pick(inService);
    const { numbers } = this.#options;
    return join(this.context, session, request, { numbers, nodeId });
  }

  #resume(
    { connectionId, resumeToken, lastSeq }: Extract<ClientRequest, { type: 'resume' }>,
    send: (message: ControlMessage) => void,
    attach: (connection: ConnectionState, afterSeq: number) => void,
  ): void {
    const resumed = refusable(() =>
      resume(this.context, { type: 'resume', id: 0, connectionId, resumeToken, lastSeq }),
    );
    if (resumed === null) {
      send({ answer: 'refused' });
      return;
    }
    const { connection, result, replayAfter } = resumed;
    send({ answer: 'resumed', streams: liveStreams(connection), isWhole: result.resumed });
    attach(connection, replayAfter);
  }

  #tick(): void {
    const { world } = this.#options;
    world.settles();
    this.core.tick(this.context.clockMs());
    world.afterIn(this.process, TICK_INTERVAL_MS, () => {
      this.#tick();
    });
  }

  #ping(): void {
    for (const end of this.#nodeEnds) end.send(PING);
    this.#options.world.afterIn(this.process, this.#options.pingIntervalMs(), () => {
      this.#ping();
    });
  }

  #watch(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      this.#error('a request failed inside control', error);
    });
  }

  #error(message: string, details: unknown): void {
    this.#options.onError(this.process.name, message, details);
  }
}

/** What control refuses a client by throwing is no error of the simulation. */
function refusable<T>(work: () => T): T | null {
  try {
    return work();
  } catch {
    return null;
  }
}
