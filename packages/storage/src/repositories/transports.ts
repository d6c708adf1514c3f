import {
  sql,
  type Expression,
  type ExpressionBuilder,
  type Kysely,
  type Selectable,
  type SqlBool,
} from 'kysely';
import type { Json, MoveIntent, TransportRecord } from '../records.js';
import { numberOrNull, type Schema } from '../schema.js';

/** How a granted move ended: who owns the transport now, with which of the epochs that the intent reserved. */
export interface MoveResult {
  readonly moveId: string;
  readonly ownerNodeId: string;
  readonly epoch: number;
  /** What was negotiated, if it changed: written with the outcome in one statement. */
  readonly negotiated?: Json;
}

export interface NodeHoldings {
  readonly transports: number;
  readonly sessions: number;
}

/** Ownership of transports. Every change of it is a compare-and-set and says whether it won (HANDOVER 2.1, 8). */
export interface TransportRepository {
  create(transport: TransportRecord): Promise<void>;
  get(transportId: string): Promise<TransportRecord | null>;
  /** What each node owns of what has not ended, by its id. */
  countLive(): Promise<Map<string, NodeHoldings>>;
  /** Of some sessions (at least one), or of all. */
  listLive(sessionIds?: readonly string[]): Promise<TransportRecord[]>;
  /**
   * Grants a move from the owner at `epoch` to `targetNodeId` and reserves two epochs above every earlier one.
   * Null when the transport has ended, has another epoch, or is being moved already.
   */
  beginMove(
    transportId: string,
    expected: { ownerNodeId: string; epoch: number },
    grant: { moveId: string; targetNodeId: string },
  ): Promise<MoveIntent | null>;
  /** Records the end of the move that holds the intent. False when that move does not hold it (any more). */
  endMove(transportId: string, result: MoveResult): Promise<boolean>;
  /**
   * The owner by a higher epoch of the last move's grant, when its end has been recorded already: only the highest epoch
   * counts. False when the grant does not allow it, or a later one stands.
   */
  correctMove(transportId: string, result: MoveResult): Promise<boolean>;
  /**
   * Makes `ownerNodeId` the owner in a new epoch and closes the grant of `moveId` for good: the other node of that move
   * counts as dead. Returns the epoch; null when `moveId` is not the transport's last grant (any more).
   */
  decideMove(transportId: string, decision: { moveId: string; ownerNodeId: string }): Promise<number | null>;
  /** Next epoch for the same owner (an ICE restart needs none; a recovery does). Never lowers anything. */
  raiseEpochs(transportId: string, epochHighest: number): Promise<void>;
  setConnected(transportId: string, epoch: number): Promise<boolean>;
  saveNegotiated(transportId: string, negotiated: Json): Promise<void>;
  /** Empties what was negotiated, too: its ICE credentials are of no use any more. */
  end(transportId: string, nowMs: number): Promise<boolean>;
}

/** JSON text of an ended transport's description. */
export const NOTHING_NEGOTIATED = 'null';

const NO_INTENT = {
  intent_move_id: null,
  intent_target_node_id: null,
  intent_target_epoch: null,
  intent_return_epoch: null,
  intent_source_node_id: null,
  intent_open: false,
} as const;

const INTENT_COLUMNS = [
  'intent_move_id',
  'intent_source_node_id',
  'intent_target_node_id',
  'intent_target_epoch',
  'intent_return_epoch',
] as const;

export function transportRepository(database: Kysely<Schema>): TransportRepository {
  return { ...grants(database), ...outcomes(database), ...rows(database) };
}

type Grants = Pick<TransportRepository, 'beginMove' | 'decideMove' | 'raiseEpochs'>;
type Outcomes = Pick<TransportRepository, 'endMove' | 'correctMove'>;

/** Everything that makes an epoch. */
function grants(database: Kysely<Schema>): Grants {
  return {
    async beginMove(transportId, expected, grant) {
      const row = await database
        .updateTable('transports')
        .set({
          intent_move_id: grant.moveId,
          intent_source_node_id: expected.ownerNodeId,
          intent_open: true,
          intent_target_node_id: grant.targetNodeId,
          intent_target_epoch: sql<number>`epoch_highest + 1`,
          intent_return_epoch: sql<number>`epoch_highest + 2`,
          epoch_highest: sql<number>`epoch_highest + 2`,
        })
        .where('transport_id', '=', transportId)
        .where('owner_node_id', '=', expected.ownerNodeId)
        .where('epoch', '=', expected.epoch)
        .where('intent_open', '=', false)
        .where('ended_at_ms', 'is', null)
        // Not the whole row: what was negotiated is most of it, and would be parsed for nothing.
        .returning(INTENT_COLUMNS)
        .executeTakeFirst();
      return row === undefined ? null : intentOf(row);
    },
    async decideMove(transportId, decision) {
      const row = await database
        .updateTable('transports')
        .set({
          owner_node_id: decision.ownerNodeId,
          epoch: sql<number>`epoch_highest + 1`,
          epoch_highest: sql<number>`epoch_highest + 1`,
          ...NO_INTENT,
        })
        .where('transport_id', '=', transportId)
        .where('intent_move_id', '=', decision.moveId)
        .where('ended_at_ms', 'is', null)
        .returning('epoch')
        .executeTakeFirst();
      return row === undefined ? null : Number(row.epoch);
    },
    async raiseEpochs(transportId, epochHighest) {
      await database
        .updateTable('transports')
        .set({ epoch_highest: epochHighest })
        .where('transport_id', '=', transportId)
        .where('epoch_highest', '<', epochHighest)
        .execute();
    },
  };
}

/** What came of an epoch that was made. */
function outcomes(database: Kysely<Schema>): Outcomes {
  return {
    async endMove(transportId, result) {
      const update = await database
        .updateTable('transports')
        .set({
          owner_node_id: result.ownerNodeId,
          epoch: result.epoch,
          intent_open: false,
          ...(result.negotiated === undefined ? {} : { negotiated: JSON.stringify(result.negotiated) }),
        })
        .where('transport_id', '=', transportId)
        .where('intent_move_id', '=', result.moveId)
        .where('intent_open', '=', true)
        .where('epoch', '<=', result.epoch)
        .where('epoch_highest', '>=', result.epoch)
        .executeTakeFirst();
      return update.numUpdatedRows === 1n;
    },
    async correctMove(transportId, result) {
      const update = await database
        .updateTable('transports')
        .set({ owner_node_id: result.ownerNodeId, epoch: result.epoch })
        .where('transport_id', '=', transportId)
        .where('intent_move_id', '=', result.moveId)
        .where('intent_open', '=', false)
        .where('epoch', '<', result.epoch)
        .where((where) => isGranted(where, result))
        .where('ended_at_ms', 'is', null)
        .executeTakeFirst();
      return update.numUpdatedRows === 1n;
    },
  };
}

async function countLive(database: Kysely<Schema>): Promise<Map<string, NodeHoldings>> {
  const rows = await database
    .selectFrom('transports')
    .select(({ fn }) => [
      'owner_node_id',
      fn.countAll().as('transports'),
      fn.count('session_id').distinct().as('sessions'),
    ])
    .where('ended_at_ms', 'is', null)
    .groupBy('owner_node_id')
    .execute();
  return new Map(
    rows.map((row) => [
      row.owner_node_id,
      { transports: Number(row.transports), sessions: Number(row.sessions) },
    ]),
  );
}

function rows(database: Kysely<Schema>): Omit<TransportRepository, keyof (Grants & Outcomes)> {
  return {
    async create(transport) {
      await database
        .insertInto('transports')
        .values({
          transport_id: transport.transportId,
          session_id: transport.sessionId,
          connection_id: transport.connectionId,
          owner_node_id: transport.ownerNodeId,
          epoch: transport.epoch,
          epoch_highest: transport.epochHighest,
          ...NO_INTENT,
          connected: transport.connected,
          negotiated: JSON.stringify(transport.negotiated),
          created_at_ms: transport.createdAtMs,
          ended_at_ms: transport.endedAtMs,
        })
        .execute();
    },
    async get(transportId) {
      const query = database.selectFrom('transports').selectAll().where('transport_id', '=', transportId);
      const row = await query.executeTakeFirst();
      return row === undefined ? null : toRecord(row);
    },
    countLive: () => countLive(database),
    async listLive(sessionIds) {
      let query = database.selectFrom('transports').selectAll().where('ended_at_ms', 'is', null);
      if (sessionIds !== undefined) query = query.where('session_id', 'in', [...sessionIds]);
      return (await query.execute()).map(toRecord);
    },
    async setConnected(transportId, epoch) {
      const result = await database
        .updateTable('transports')
        .set({ connected: true })
        .where('transport_id', '=', transportId)
        .where('epoch', '=', epoch)
        .where('ended_at_ms', 'is', null)
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    async saveNegotiated(transportId, negotiated) {
      await database
        .updateTable('transports')
        .set({ negotiated: JSON.stringify(negotiated) })
        .where('transport_id', '=', transportId)
        .where('ended_at_ms', 'is', null)
        .execute();
    },
    async end(transportId, nowMs) {
      const result = await database
        .updateTable('transports')
        .set({ ended_at_ms: nowMs, negotiated: NOTHING_NEGOTIATED })
        .where('transport_id', '=', transportId)
        .where('ended_at_ms', 'is', null)
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
  };
}

/** One of the two pairs that the grant made: the target with its epoch, the source with the reserved one. */
function isGranted(
  where: ExpressionBuilder<Schema, 'transports'>,
  { ownerNodeId, epoch }: MoveResult,
): Expression<SqlBool> {
  return where.or([
    where.and({ intent_target_node_id: ownerNodeId, intent_target_epoch: epoch }),
    where.and({ intent_source_node_id: ownerNodeId, intent_return_epoch: epoch }),
  ]);
}

function intentOf(
  row: Pick<Selectable<Schema['transports']>, (typeof INTENT_COLUMNS)[number]>,
): MoveIntent | null {
  if (
    row.intent_move_id === null ||
    row.intent_target_node_id === null ||
    row.intent_source_node_id === null
  ) {
    return null;
  }
  return {
    moveId: row.intent_move_id,
    sourceNodeId: row.intent_source_node_id,
    targetNodeId: row.intent_target_node_id,
    targetEpoch: Number(row.intent_target_epoch),
    returnEpoch: Number(row.intent_return_epoch),
  };
}

function toRecord(row: Selectable<Schema['transports']>): TransportRecord {
  return {
    transportId: row.transport_id,
    sessionId: row.session_id,
    connectionId: row.connection_id,
    ownerNodeId: row.owner_node_id,
    epoch: Number(row.epoch),
    epochHighest: Number(row.epoch_highest),
    intent: row.intent_open ? intentOf(row) : null,
    lastIntent: row.intent_open ? null : intentOf(row),
    connected: row.connected,
    negotiated: row.negotiated as Json,
    createdAtMs: Number(row.created_at_ms),
    endedAtMs: numberOrNull(row.ended_at_ms),
  };
}
