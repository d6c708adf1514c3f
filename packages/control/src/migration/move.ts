import type { MoveFailure, MoveMeasures, MoveOutcome } from '@godwit/protocol';
import type { MoveIntent } from '@godwit/storage';
import type { ControlContext } from '../context.js';
import { within } from '../deadline.js';
import { MOVE_SLOT_HOLD_MS } from '../limits.js';
import type { ConnectionState, TransportState } from '../roster/state.js';
import { isDatabaseAway } from '../roster/unwritten.js';
import { descriptionJson, saveDescription } from '../transports/persist.js';
import { restartAtOwner } from '../transports/restart.js';
import { endLeftMove } from './left-move.js';
import { grantedOwner, type ReportedOwner } from './granted-owner.js';
import { MovePath } from './move-path.js';
import type { Interruption, MoveEndedEvent, MoveWait, MoveWaits } from './move-waits.js';
import { nodeFor } from '../nodes/session-node.js';

export interface MoveRequest {
  readonly moveId: string;
  readonly connection: ConnectionState;
  readonly targetNodeId: string;
  /** Everything but the transfer. */
  readonly rehearsal: boolean;
}

export interface MoveReport {
  readonly outcome: MoveOutcome;
  readonly failure: MoveFailure | null;
  readonly measures: MoveMeasures;
}

const THERE_ALREADY: MoveReport = { outcome: 'completed', failure: null, measures: {} };
const failed = (failure: MoveFailure): MoveReport => ({ outcome: 'failed', failure, measures: {} });

/** Moves one transport in the order of HANDOVER 2, in its turn among the connection's negotiations. Never throws. */
export function moveTransport(
  context: ControlContext,
  waits: MoveWaits,
  request: MoveRequest,
): Promise<MoveReport> {
  return request.connection.lock
    .run(() => grantAndMove(context, waits, request))
    .catch((error: unknown) => {
      context.log.error({ moveId: request.moveId, error: String(error) }, 'a move failed inside control');
      return failed('cancelled');
    });
}

async function grantAndMove(
  context: ControlContext,
  waits: MoveWaits,
  request: MoveRequest,
): Promise<MoveReport> {
  const { connection } = request;
  const { transport } = connection;
  if (transport === null || connection.ended) return failed('transport-closed');
  if (transport.ownerNodeId === request.targetNodeId) return THERE_ALREADY;
  const connected = transport.connected.promise.then(
    () => true,
    () => false,
  );
  if (!(await within(connected, context.timings.connectedWaitMs, false))) {
    return failed(connection.ended ? 'transport-closed' : 'not-connected');
  }
  const intent = await grantMove(context, request, transport);
  if (intent !== null) return new Move(context, waits, request, transport, intent).run();
  // Else the move that was left open had brought it there.
  return transport.ownerNodeId === request.targetNodeId ? THERE_ALREADY : failed('transport-closed');
}

/** The grant of the move; one that an earlier move has left open is closed first. Null: the transport cannot move now. */
async function grantMove(
  context: ControlContext,
  { moveId, connection, targetNodeId }: MoveRequest,
  transport: TransportState,
): Promise<MoveIntent | null> {
  const begin = (): Promise<MoveIntent | null> => {
    const { transportId, ownerNodeId, epoch } = transport;
    return context.storage.transports.beginMove(
      transportId,
      { ownerNodeId, epoch },
      { moveId, targetNodeId },
    );
  };
  const granted = await begin();
  if (granted !== null || !(await endLeftMove(context, connection, transport))) return granted;
  return transport.ownerNodeId === targetNodeId ? null : begin();
}

type Verdict =
  | { readonly kind: 'ended'; readonly event: MoveEndedEvent }
  | { readonly kind: 'failed'; readonly failure: MoveFailure };

/** One granted move, from the intent to its recorded end. The connection's lock is held throughout. */
class Move {
  readonly #context: ControlContext;
  readonly #waits: MoveWaits;
  readonly #request: MoveRequest;
  readonly #transport: TransportState;
  readonly #intent: MoveIntent;
  readonly #wait: MoveWait;
  readonly #path: MovePath;
  readonly #sourceNodeId: string;
  /** The path is proven: the state may have left. */
  #isTransferring = false;
  /** Given up while a node that could not be asked may yet own the transport: its intent stays open. */
  #isUndecided = false;

  constructor(
    context: ControlContext,
    waits: MoveWaits,
    request: MoveRequest,
    transport: TransportState,
    intent: MoveIntent,
  ) {
    this.#context = context;
    this.#waits = waits;
    this.#request = request;
    this.#transport = transport;
    this.#intent = intent;
    this.#sourceNodeId = transport.ownerNodeId;
    this.#wait = waits.begin(request.moveId, transport.ownerNodeId, request.targetNodeId);
    this.#path = new MovePath(context, request, transport, intent);
  }

  async run(): Promise<MoveReport> {
    const { connection, moveId, targetNodeId } = this.#request;
    const { targetEpoch, returnEpoch } = this.#intent;
    this.#transport.upcomingOwner = { nodeId: targetNodeId, epoch: targetEpoch, returnEpoch };
    const stopListening = connection.gone.listen(() => this.#wait.interrupted.resolve('transport-closed'));
    try {
      const verdict = await this.#verdict();
      const report = await this.#settle(verdict);
      if (this.#path.wasTold) {
        const nodeId = this.#transport.ownerNodeId;
        connection.channel.push({ event: 'moveEnded', moveId, outcome: report.outcome, nodeId });
      }
      return report;
    } finally {
      stopListening();
      this.#waits.end(moveId);
      if (!this.#isUndecided) this.#transport.upcomingOwner = null;
      if (connection.ended) await this.#closeEverywhere();
      await this.#context.routes.push(connection.session);
    }
  }

  async #verdict(): Promise<Verdict> {
    const unprepared = (await this.#relays()) ?? (await this.#prepare());
    if (unprepared !== null) return { kind: 'failed', failure: unprepared };
    const release = await this.#waits.slots.take([this.#sourceNodeId, this.#request.targetNodeId]);
    const timer = setTimeout(release, MOVE_SLOT_HOLD_MS);
    try {
      return await this.#changeOver();
    } finally {
      clearTimeout(timer);
      release();
    }
  }

  /** The client comes to the target, and the transport after it. */
  async #changeOver(): Promise<Verdict> {
    const refused = await this.#path.start();
    if (refused !== null) return this.#giveUp(refused);
    const told = await this.#path.tell();
    if (told !== null) return this.#giveUp(told);
    const proof = await this.#until(this.#wait.proven.promise, this.#context.timings.pathProofMs);
    if (typeof proof === 'object') return { kind: 'ended', event: proof };
    if (proof !== 'proven') return this.#giveUp(proof === 'late' ? 'path-not-proven' : proof);
    return this.#request.rehearsal ? this.#returnHome() : this.#transferred();
  }

  /** Relays of every stream that the transport sends or receives must lead to the target before it is prepared. */
  async #relays(): Promise<MoveFailure | null> {
    const refusedBy = await this.#context.routes.push(this.#request.connection.session);
    if (refusedBy.has(this.#request.targetNodeId)) return 'target-unreachable';
    return refusedBy.has(this.#sourceNodeId) ? 'source-lost' : null;
  }

  /** A target whose source is gone would wait for its streams in vain, and the client for its turn. */
  async #prepare(): Promise<MoveFailure | null> {
    const prepared = this.#path.prepare().then((failure) => ({ failure }));
    const outcome = await Promise.race([prepared, this.#wait.interrupted.promise]);
    if (typeof outcome !== 'string') return outcome.failure;
    await this.#path.cancel(this.#request.targetNodeId, false);
    return outcome;
  }

  async #transferred(): Promise<Verdict> {
    this.#isTransferring = true;
    // From the proof on the two nodes decide by themselves: losing one's socket does not end it. But one that is alone
    // waits for an answer that may never come, and its client with it.
    const { transferMs, transferAloneMs } = this.#context.timings;
    const ended = this.#wait.ended.promise;
    const alone = this.#wait.interrupted.promise.then((lost) => within(ended, transferAloneMs, lost));
    const event = await within(Promise.race([ended, alone]), transferMs, 'transfer-timeout' as const);
    return typeof event === 'string' ? this.#giveUp(event) : { kind: 'ended', event };
  }

  async #returnHome(): Promise<Verdict> {
    const refused = await this.#path.returnHome();
    if (refused !== null) return this.#giveUp(refused);
    const returned = await this.#until(this.#wait.returned.promise, this.#context.timings.pathProofMs);
    if (typeof returned === 'object') return { kind: 'ended', event: returned };
    if (returned !== 'returned') return this.#giveUp(returned === 'late' ? 'path-did-not-return' : returned);
    await this.#path.cancel(this.#request.targetNodeId, false);
    const event = await within(this.#wait.ended.promise, this.#context.timings.transferMs, null);
    if (event !== null) return { kind: 'ended', event };
    await this.#path.cancel(this.#sourceNodeId, false);
    const { moveId } = this.#request;
    const { transportId, epoch } = this.#transport;
    const ended = {
      event: 'moveEnded',
      moveId,
      transportId,
      outcome: 'rehearsed',
      measures: {},
      epoch,
    } as const;
    return { kind: 'ended', event: { ...ended, ownerNodeId: this.#sourceNodeId } };
  }

  #until<T extends string>(
    promise: Promise<T>,
    timeoutMs: number,
  ): Promise<T | 'late' | Interruption | MoveEndedEvent> {
    const ended = this.#wait.ended.promise;
    const interrupted = this.#wait.interrupted.promise;
    return within(Promise.race([promise, ended, interrupted]), timeoutMs, 'late' as const);
  }

  /** The connection ended meanwhile, when only the former owner could be told: whoever has the transport closes it. */
  async #closeEverywhere(): Promise<void> {
    const { transportId } = this.#transport;
    // The highest epoch that either may have.
    const fields = { transportId, epoch: this.#intent.returnEpoch, reason: 'clientDisconnected' };
    const { session } = this.#request.connection;
    const nodes = [this.#sourceNodeId, this.#request.targetNodeId];
    await Promise.allSettled(
      nodes.map((nodeId) => nodeFor(this.#context, session, nodeId)?.command('closeTransport', fields)),
    );
  }

  /**
   * Source first: once it has let go of the move, the target has nothing to wait for. When neither can be asked, or one
   * owns and has not said so yet, the nodes' own reports decide.
   */
  async #giveUp(failure: MoveFailure): Promise<Verdict> {
    const { transferMs, transferAloneMs } = this.#context.timings;
    const isAlone = failure === 'source-lost' || failure === 'target-unreachable';
    const wait = (): Promise<MoveEndedEvent | null> =>
      within(this.#wait.ended.promise, isAlone ? transferAloneMs : transferMs, null);
    const source = await this.#path.cancel(this.#sourceNodeId, this.#isTransferring);
    if (source === 'too-late') {
      const event = await wait();
      if (event !== null) return { kind: 'ended', event };
      // The state has left and nobody answers for it: without control's word nobody would own the transport.
      if (!this.#isTransferring) {
        this.#isTransferring = true;
        return this.#giveUp(failure);
      }
    }
    const target = await this.#path.cancel(this.#request.targetNodeId, false);
    const tookBack = this.#isTransferring && source === 'cancelled';
    if (tookBack || target === 'too-late') {
      const event = await wait();
      if (event !== null) return { kind: 'ended', event };
    }
    // A source that was told to start and cannot be asked may take the transport back under its reserved epoch yet, for its
    // client may be at the target from an earlier move: another grant before it has reported would forget that.
    const mayTakeBack = source !== 'cancelled' && this.#path.wasStarted;
    this.#isUndecided = tookBack || mayTakeBack || (source !== 'cancelled' && target !== 'cancelled');
    return { kind: 'failed', failure };
  }

  /** Records who owns the transport now. What nobody could tell stays an intent until the nodes report. */
  async #settle(verdict: Verdict): Promise<MoveReport> {
    const { moveId, connection } = this.#request;
    const transport = this.#transport;
    const owner =
      verdict.kind === 'ended'
        ? { ownerNodeId: verdict.event.ownerNodeId, epoch: verdict.event.epoch }
        : { ownerNodeId: transport.ownerNodeId, epoch: this.#path.keptAs ?? transport.epoch };
    if (this.#isUndecided || !(await this.#record(owner))) await saveDescription(this.#context, transport);
    if (verdict.kind === 'failed' && this.#path.restartAnswered && !connection.ended) {
      // The client has left its old addresses behind: bring it back to the owner.
      await restartAtOwner(this.#context, connection).catch(() => undefined);
    }
    const event = verdict.kind === 'ended' ? verdict.event : null;
    const report: MoveReport = {
      outcome: event?.outcome ?? 'failed',
      failure: verdict.kind === 'failed' ? verdict.failure : (event?.failure ?? null),
      measures: event?.measures ?? {},
    };
    const { transportId, ownerNodeId: nodeId } = transport;
    this.#context.log.info(
      { moveId, transportId, nodeId, outcome: report.outcome, failure: report.failure, ...report.measures },
      'move ended',
    );
    return report;
  }

  /**
   * The target may own by the granted epoch only. A source that never let go keeps its own, whatever it calls it. False
   * when nothing was written.
   */
  async #record(owner: ReportedOwner): Promise<boolean> {
    const transport = this.#transport;
    const { moveId } = this.#request;
    const recorded = grantedOwner(transport, this.#intent, owner);
    if (recorded === null) {
      this.#context.log.error({ moveId, ...owner }, 'a node reports an owner that was never granted');
      return false;
    }
    const result = { moveId, ...recorded, negotiated: descriptionJson(transport) };
    try {
      if (!(await this.#context.storage.transports.endMove(transport.transportId, result))) return false;
    } catch (error) {
      // The grant stays open, in the row and here: it is settled by what the nodes report.
      if (isDatabaseAway(error)) this.#isUndecided = true;
      throw error;
    }
    transport.ownerNodeId = recorded.ownerNodeId;
    transport.epoch = recorded.epoch;
    return true;
  }
}
