import type { WebSocket } from 'ws';
import {
  clientRequest,
  SIGNALLING_MESSAGE_BYTES_MAX,
  type ClientRequest,
  type SequencedEvent,
  type SignallingReply,
} from '@godwit/protocol';
import type { ControlContext } from '../context.js';
import { ClientError, ControlError } from '../errors.js';
import { parseJson } from '../json.js';
import {
  KEEPER_POLL_MS,
  KEEPER_WAIT_MS,
  SIGNALLING_BACKLOG_BYTES_MAX,
  SIGNALLING_BAD_MESSAGES_MAX,
  SIGNALLING_BURST_MESSAGES,
  SIGNALLING_MESSAGES_PER_SECOND,
  SIGNALLING_REQUESTS_PENDING_MAX,
} from '../limits.js';
import type { Migrations } from '../migration/migrations.js';
import type { ClientSocket } from '../roster/client-channel.js';
import { connect, keepSessionOf, resume, startGrace } from '../roster/connections.js';
import { KeptElsewhere } from '../replicas/kept-elsewhere.js';
import type { ConnectionState } from '../roster/state.js';
import { isDatabaseAway } from '../roster/unwritten.js';
import { handleRequest, type ConnectedRequest } from './requests.js';
import { TokenBucket } from './token-bucket.js';
import { CLOSE_NOT_KEPT, Tunnel } from './tunnel.js';

/** Close codes: those of RFC 6455 7.4.1 where one fits. */
const CLOSE = { normal: 1000, policy: 1008, tooLarge: 1009, internal: 1011, superseded: 4409 } as const;
/** RFC 6455 5.5: a close frame's reason, bytes. */
const CLOSE_REASON_BYTES_MAX = 120;

/** How a socket came here. */
export interface LinkOrigin {
  /** Another control has passed it on. */
  readonly isPassedOn: boolean;
  /** It has said who it is. */
  readonly onIdentified: () => void;
}

type IdentifyRequest = Extract<ClientRequest, { type: 'connect' | 'resume' }>;

/** One signalling socket: limits and validation, then requests for the connection that it identified as. */
export class ClientLink implements ClientSocket {
  readonly #context: ControlContext;
  readonly #migrations: Migrations;
  readonly #socket: WebSocket;
  readonly #onIdentified: () => void;
  readonly #bucket: TokenBucket;
  /** Another control has passed it on. */
  readonly #isPassedOn: boolean;
  #connection: ConnectionState | null = null;
  /** Set when another control keeps its session. */
  #tunnel: Tunnel | null = null;
  #identifying = false;
  #pending = 0;
  #bad = 0;
  #heardAtMs: number;

  constructor(context: ControlContext, migrations: Migrations, socket: WebSocket, origin: LinkOrigin) {
    this.#context = context;
    this.#migrations = migrations;
    this.#socket = socket;
    this.#isPassedOn = origin.isPassedOn;
    this.#onIdentified = origin.onIdentified;
    this.#heardAtMs = context.clockMs();
    this.#bucket = new TokenBucket(
      SIGNALLING_BURST_MESSAGES,
      SIGNALLING_MESSAGES_PER_SECOND,
      this.#heardAtMs,
    );
  }

  get identified(): boolean {
    return this.#connection !== null || this.#tunnel !== null;
  }
  get heardAtMs(): number {
    return this.#heardAtMs;
  }

  send(message: SequencedEvent | SignallingReply): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#socket.bufferedAmount > SIGNALLING_BACKLOG_BYTES_MAX) {
      this.#socket.terminate();
      return;
    }
    this.#socket.send(JSON.stringify(message));
  }

  close(reason: string, final: boolean): void {
    const text = Buffer.from(reason).subarray(0, CLOSE_REASON_BYTES_MAX).toString();
    this.#socket.close(final ? CLOSE.normal : CLOSE.superseded, text);
  }

  /** The peer is silent: it may resume. */
  terminate(): void {
    this.#socket.terminate();
  }

  /** The socket is gone. */
  closed(): void {
    this.#tunnel?.close();
    if (this.#connection?.channel.detach(this) === true) startGrace(this.#context, this.#connection);
  }

  receive(data: Buffer, binary: boolean): void {
    this.#heardAtMs = this.#context.clockMs();
    if (data.length > SIGNALLING_MESSAGE_BYTES_MAX) {
      this.#context.metrics.refusedMessages.inc({ reason: 'too-large' });
      this.#socket.close(CLOSE.tooLarge, `a message has at most ${SIGNALLING_MESSAGE_BYTES_MAX} bytes`);
      return;
    }
    if (this.#tunnel !== null) {
      this.#tunnel.send(data, binary);
      return;
    }
    // Nothing is done with it any more: the client repeats it at the next control.
    if (this.#connection !== null && this.#context.isLeaving()) return;
    const message = binary ? undefined : parseJson(data);
    const id = idOf(message);
    if (!this.#bucket.take(this.#heardAtMs)) {
      this.#refuse('rate', id, new ClientError('tooManyRequests', 'Too many messages; please slow down.'));
      return;
    }
    const parsed = clientRequest.safeParse(message);
    if (!parsed.success) {
      this.#refuse(
        'malformed',
        id,
        new ClientError('invalidParameter', describeIssue(message, parsed.error.issues[0])),
      );
      return;
    }
    if (this.#pending >= SIGNALLING_REQUESTS_PENDING_MAX) {
      this.#refuse(
        'pending',
        id,
        new ClientError('tooManyRequests', 'Too many requests wait for their answers.'),
      );
      return;
    }
    this.#pending += 1;
    this.#answer(parsed.data, data)
      .finally(() => (this.#pending -= 1))
      .catch(() => undefined);
  }

  async #answer(request: ClientRequest, data: Buffer): Promise<void> {
    const connection = this.#connection;
    if (request.type === 'connect' || request.type === 'resume') {
      await this.#identify(request, data).catch((error: unknown) => this.send(this.#refusal(request, error)));
      return;
    }
    if (connection === null) {
      const error = new ClientError('notConnected', 'The first message must be connect or resume.');
      this.send(this.#refusal(request, error));
      return;
    }
    // Answered before the connection's end closes the socket.
    if (request.type === 'disconnect') this.send({ replyTo: request.id, ok: true, result: {} });
    const reply = await this.#replyOnce(connection, request);
    if (request.type !== 'disconnect') this.send(reply);
  }

  /** What was asked before, on this socket or on one that broke, is answered and not done again. */
  async #replyOnce(connection: ConnectionState, request: ConnectedRequest): Promise<SignallingReply> {
    const work = (): Promise<SignallingReply> =>
      handleRequest(this.#context, this.#migrations, connection, request).then(
        (result) => ({ replyTo: request.id, ok: true, result }),
        (error: unknown) => this.#refusal(request, error),
      );
    // Pings share one number.
    if (request.type === 'ping') return work();
    const error = new ClientError('invalidParameter', 'The id is that of an earlier request.');
    return connection.requests.once(request.id, request.type, work) ?? this.#refusal(request, error);
  }

  #refusal({ id, type }: ClientRequest, error: unknown): SignallingReply {
    return { replyTo: id, ok: false, error: this.#clientError(error, type).wire };
  }

  /** Answers by itself, so that no event overtakes the answer. */
  async #identify(request: IdentifyRequest, data: Buffer): Promise<void> {
    if (this.#connection !== null || this.#identifying) {
      throw new ClientError('invalidParameter', 'This socket has its connection already.');
    }
    this.#identifying = true;
    try {
      await this.#identifySomewhere(request, data);
    } finally {
      this.#identifying = false;
    }
  }

  /** Here, or at the control that keeps the session; while that one does not answer, the next may take it over. */
  async #identifySomewhere(request: IdentifyRequest, data: Buffer): Promise<void> {
    const deadlineMs = this.#context.clockMs() + KEEPER_WAIT_MS;
    for (;;) {
      try {
        await this.#join(request);
        return;
      } catch (error) {
        if (!(error instanceof KeptElsewhere)) throw error;
        if (this.#isPassedOn) {
          this.#socket.close(CLOSE_NOT_KEPT, 'another control keeps the session');
          return;
        }
        const { url } = error.keeper;
        const opened = url === null ? 'unreached' : await Tunnel.open(this.#socket, url, data);
        if (typeof opened !== 'string') {
          this.#tunnel = opened;
          this.#onIdentified();
          return;
        }
        // A connect that may have been done must not be done again; a resume may.
        if (opened === 'unanswered' && request.type === 'connect') throw unreachable();
      }
      if (this.#context.clockMs() > deadlineMs) throw unreachable();
      await new Promise((resolve) => setTimeout(resolve, KEEPER_POLL_MS));
      if (this.#socket.readyState !== this.#socket.OPEN) return;
    }
  }

  async #join(request: IdentifyRequest): Promise<void> {
    if (request.type === 'resume') await keepSessionOf(this.#context, request.connectionId);
    const joined =
      request.type === 'connect'
        ? { ...(await connect(this.#context, request)), replayAfter: null }
        : resume(this.#context, request);
    const { connection, result, replayAfter } = joined;
    this.#connection = connection;
    this.#onIdentified();
    this.send({ replyTo: request.id, ok: true, result });
    connection.channel.attach(this, replayAfter ?? result.seq);
    // It went away while it was being admitted.
    if (this.#socket.readyState !== this.#socket.OPEN) this.closed();
  }

  #refuse(reason: 'malformed' | 'rate' | 'pending', id: number | null, error: ClientError): void {
    this.#context.metrics.refusedMessages.inc({ reason });
    this.#bad += 1;
    if (this.#bad === 1) {
      const connectionId = this.#connection?.connectionId;
      this.#context.log.info({ reason, connectionId }, 'refused a signalling message');
    }
    this.send({ replyTo: id, ok: false, error: error.wire });
    if (this.#bad >= SIGNALLING_BAD_MESSAGES_MAX) this.#socket.close(CLOSE.policy, 'too many bad messages');
  }

  #clientError(error: unknown, type: ClientRequest['type']): ClientError {
    if (error instanceof ClientError) return error;
    if (error instanceof ControlError && error.entry === 'unavailable')
      return new ClientError('connectFailed', error.description);
    if (isDatabaseAway(error)) {
      const entry = type === 'connect' || type === 'resume' ? 'connectFailed' : 'internal';
      return new ClientError(entry, 'The database is away; ask again in a moment.');
    }
    const connectionId = this.#connection?.connectionId;
    this.#context.log.error({ error: String(error), type, connectionId }, 'a request failed inside control');
    return new ClientError('internal', 'The request failed inside the server.');
  }
}

const unreachable = (): ClientError =>
  new ClientError('connectFailed', 'The session cannot be reached just now; please try again.');

function idOf(message: unknown): number | null {
  const id = typeof message === 'object' && message !== null && 'id' in message ? message.id : null;
  return typeof id === 'number' && Number.isSafeInteger(id) && id >= 0 ? id : null;
}

/** One sentence about the first thing that is wrong; never what the message held. */
function describeIssue(
  message: unknown,
  issue: { path: readonly PropertyKey[]; message: string } | undefined,
): string {
  if (message === undefined) return 'The message is not JSON text.';
  const path = issue?.path.map(String).join('.') ?? '';
  return path === ''
    ? `The message cannot be used: ${issue?.message ?? 'unknown'}.`
    : `The field ${path} cannot be used: ${issue?.message ?? ''}.`;
}
