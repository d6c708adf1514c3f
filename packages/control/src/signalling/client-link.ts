import type { WebSocket } from 'ws';
import {
  clientRequest,
  SIGNALLING_MESSAGE_BYTES_MAX,
  type ClientRequest,
  type SequencedEvent,
  type SignallingReply,
} from '@godwit/protocol';
import type { ControlContext } from '../context.js';
import { ClientError } from '../errors.js';
import { parseJson } from '../json.js';
import {
  SIGNALLING_BACKLOG_BYTES_MAX,
  SIGNALLING_BAD_MESSAGES_MAX,
  SIGNALLING_BURST_MESSAGES,
  SIGNALLING_MESSAGES_PER_SECOND,
  SIGNALLING_REQUESTS_PENDING_MAX,
} from '../limits.js';
import type { Migrations } from '../migration/migrations.js';
import type { ClientSocket } from '../roster/client-channel.js';
import { connect, resume, startGrace } from '../roster/connections.js';
import type { ConnectionState } from '../roster/state.js';
import { isDatabaseAway } from '../roster/unwritten.js';
import { handleRequest, type ConnectedRequest } from './requests.js';
import { TokenBucket } from './token-bucket.js';

/** Close codes: those of RFC 6455 7.4.1 where one fits. */
const CLOSE = { normal: 1000, policy: 1008, tooLarge: 1009, internal: 1011, superseded: 4409 } as const;
/** RFC 6455 5.5: a close frame's reason, bytes. */
const CLOSE_REASON_BYTES_MAX = 120;

/** One signalling socket: limits and validation, then requests for the connection that it identified as. */
export class ClientLink implements ClientSocket {
  readonly #context: ControlContext;
  readonly #migrations: Migrations;
  readonly #socket: WebSocket;
  readonly #onIdentified: () => void;
  readonly #bucket: TokenBucket;
  #connection: ConnectionState | null = null;
  #identifying = false;
  #pending = 0;
  #bad = 0;
  #heardAtMs: number;

  constructor(context: ControlContext, migrations: Migrations, socket: WebSocket, onIdentified: () => void) {
    this.#context = context;
    this.#migrations = migrations;
    this.#socket = socket;
    this.#onIdentified = onIdentified;
    this.#heardAtMs = context.clockMs();
    this.#bucket = new TokenBucket(
      SIGNALLING_BURST_MESSAGES,
      SIGNALLING_MESSAGES_PER_SECOND,
      this.#heardAtMs,
    );
  }

  get identified(): boolean {
    return this.#connection !== null;
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
    if (this.#connection?.channel.detach(this) === true) startGrace(this.#context, this.#connection);
  }

  receive(data: Buffer, binary: boolean): void {
    this.#heardAtMs = this.#context.clockMs();
    if (data.length > SIGNALLING_MESSAGE_BYTES_MAX) {
      this.#context.metrics.refusedMessages.inc({ reason: 'too-large' });
      this.#socket.close(CLOSE.tooLarge, `a message has at most ${SIGNALLING_MESSAGE_BYTES_MAX} bytes`);
      return;
    }
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
    this.#answer(parsed.data)
      .finally(() => (this.#pending -= 1))
      .catch(() => undefined);
  }

  async #answer(request: ClientRequest): Promise<void> {
    const connection = this.#connection;
    if (request.type === 'connect' || request.type === 'resume') {
      await this.#identify(request).catch((error: unknown) => this.send(this.#refusal(request, error)));
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
  async #identify(request: Extract<ClientRequest, { type: 'connect' | 'resume' }>): Promise<void> {
    if (this.#connection !== null || this.#identifying) {
      throw new ClientError('invalidParameter', 'This socket has its connection already.');
    }
    this.#identifying = true;
    try {
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
    } finally {
      this.#identifying = false;
    }
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
    if (isDatabaseAway(error)) {
      const entry = type === 'connect' ? 'connectFailed' : 'internal';
      return new ClientError(entry, 'The database is away; ask again in a moment.');
    }
    const connectionId = this.#connection?.connectionId;
    this.#context.log.error({ error: String(error), type, connectionId }, 'a request failed inside control');
    return new ClientError('internal', 'The request failed inside the server.');
  }
}

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
