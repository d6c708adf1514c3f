import type { GapReport } from '@godwit/protocol';
import type { Json, MigrationRecord, MigrationStatus, MoveRecord } from '@godwit/storage';
import type { ControlContext } from '../context.js';
import { forEachLimited } from '../deadline.js';
import { ControlError } from '../errors.js';
import { newId64, newMigrationId } from '../ids.js';
import { MOVES_CONCURRENT_MAX, NODE_MOVES_BEGUN_MAX } from '../limits.js';
import { endConnection } from '../roster/connections.js';
import type { ConnectionState, SessionState } from '../roster/state.js';
import { decideMigration } from './eligibility.js';
import { moveTransport } from './move.js';
import { MoveLog } from './move-log.js';
import { MoveSlots, shareOf } from './move-slots.js';
import type { MoveWaits } from './move-waits.js';

export interface MigrationRequest {
  readonly target: string | null;
  readonly rehearsal: boolean;
  /** A draining node does not wait for the minimum age. */
  readonly ignoreMinAge?: boolean;
}

/** Reason that disconnected clients are told (Vonage: server rotation). */
const ROTATION_REASON = 'serverRotation';

/** Migrations of sessions: may it, who moves, who is disconnected, and what came of it. */
export class Migrations {
  readonly #context: ControlContext;
  readonly #waits: MoveWaits;
  readonly #begun: MoveSlots;
  readonly #moveLog: MoveLog;
  readonly #running = new Map<string, Promise<void>>();

  constructor(context: ControlContext, waits: MoveWaits) {
    this.#context = context;
    this.#waits = waits;
    this.#begun = new MoveSlots(() => shareOf(context, NODE_MOVES_BEGUN_MAX));
    this.#moveLog = new MoveLog(context.storage, context.log);
  }

  /** Sessions that migrate now, and the moves under way. */
  get running(): { readonly migrations: number; readonly moves: number } {
    return { migrations: this.#running.size, moves: this.#waits.size };
  }

  /** Starts a migration and answers its row at once. Throws a ControlError: 15214, 15215, unknown target, … */
  async start(session: SessionState, request: MigrationRequest): Promise<MigrationRecord> {
    const { context, sessionId } = { context: this.#context, sessionId: session.sessionId };
    const nowMs = context.clockMs();
    const decision = decideMigration({
      session: session.record,
      running: this.#running.has(sessionId),
      requestedTarget: request.target,
      nodes: context.nodes.list(),
      owners: [...session.connections.values()].flatMap(({ transport }) =>
        transport === null ? [] : [transport.ownerNodeId],
      ),
      minAgeMs: request.ignoreMinAge === true ? 0 : context.migrationMinAgeMs,
      nowMs,
    });
    if (!decision.allowed) throw new ControlError(decision.error, decision.description);
    const migration: MigrationRecord = {
      migrationId: newMigrationId(),
      sessionId,
      status: 'pending',
      targetNodeId: decision.targetNodeId,
      rehearsal: request.rehearsal,
      moved: 0,
      total: 0,
      createdAtMs: nowMs,
      endedAtMs: null,
    };
    // Between here and the row another request may come: the second finds this entry.
    const created = context.storage.migrations.create(migration);
    const run = created.then((first) => (first ? this.#run(session, migration) : undefined));
    this.#running.set(sessionId, run);
    const done = (): void => {
      this.#running.delete(sessionId);
    };
    run.then(done, (error: unknown) => {
      done();
      context.log.error(
        { migrationId: migration.migrationId, error: String(error) },
        'a migration failed inside control',
      );
    });
    if (!(await created))
      throw new ControlError('migrationInProgress', 'Wait for the current migration to end.');
    context.log.info(
      { migrationId: migration.migrationId, sessionId, nodeId: decision.targetNodeId },
      'migration started',
    );
    return migration;
  }

  /** Resolves when no migration of that session runs. */
  async settled(sessionId: string): Promise<void> {
    await this.#running.get(sessionId)?.catch(() => undefined);
  }

  /** Resolves when none runs: for a clean end. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#running.values());
  }

  /** What a client measured around a move of its own; kept once. */
  async saveGap(connection: ConnectionState, report: GapReport): Promise<void> {
    const saved = await this.#moveLog.saveGap(report.moveId, connection.connectionId, report);
    if (saved && report.frameGapMsMax !== null) this.#context.metrics.gapMs.observe(report.frameGapMsMax);
  }

  async #run(session: SessionState, migration: MigrationRecord): Promise<void> {
    const { storage, unwritten, metrics, log } = this.#context;
    const { migrationId, targetNodeId, rehearsal } = migration;
    let status: MigrationStatus = 'failed';
    try {
      if (!rehearsal) await this.#setHome(session, targetNodeId);
      const elsewhere = [...session.connections.values()].filter(
        ({ transport }) => transport !== null && transport.ownerNodeId !== targetNodeId,
      );
      const movable = elsewhere.filter((connection) => connection.sessionMigration);
      this.#moveLog.progress(migrationId, { moved: 0, total: movable.length });
      if (!rehearsal) {
        for (const connection of elsewhere)
          if (!connection.sessionMigration) await this.#rotateOut(connection, migration);
      }
      let moved = 0;
      await forEachLimited(movable, MOVES_CONCURRENT_MAX, async (connection) => {
        const fromNodeId = connection.transport?.ownerNodeId ?? '';
        const release = await this.#begun.take([fromNodeId, targetNodeId]);
        try {
          if (await this.#move(connection, migration)) moved += 1;
        } finally {
          release();
        }
        this.#moveLog.progress(migrationId, { moved, total: movable.length });
      });
      status = moved === movable.length ? 'completed' : 'failed';
    } finally {
      const nowMs = this.#context.clockMs();
      session.record = { ...session.record, lastMigrationEndedAtMs: nowMs };
      // Whoever reads that it ended reads how each move ended.
      await this.#moveLog.written();
      // One that does not end on record keeps its session from every other.
      await unwritten.write('the end of a migration', async () => {
        await storage.sessions.migrationEnded(session.sessionId, nowMs);
        await storage.migrations.end(migrationId, status, nowMs);
      });
      metrics.migrations.inc({ status });
      log.info({ migrationId, sessionId: session.sessionId, status }, 'migration ended');
    }
  }

  async #setHome(session: SessionState, targetNodeId: string): Promise<void> {
    session.record = { ...session.record, homeNodeId: targetNodeId };
    await this.#context.storage.sessions.setHomeNode(session.sessionId, targetNodeId);
  }

  /** A client without sessionMigration gets what Vonage's clients get, once. */
  async #rotateOut(connection: ConnectionState, migration: MigrationRecord): Promise<void> {
    const startedAtMs = this.#context.clockMs();
    const fromNodeId = connection.transport?.ownerNodeId ?? '';
    connection.channel.push({ event: 'sessionDestroyed', reason: ROTATION_REASON });
    connection.channel.push({ event: 'sessionDisconnected', reason: ROTATION_REASON });
    await endConnection(this.#context, connection, ROTATION_REASON);
    this.#moveLog.note({
      moveId: newId64(),
      migrationId: migration.migrationId,
      connectionId: connection.connectionId,
      fromNodeId,
      toNodeId: migration.targetNodeId,
      outcome: 'disconnected',
      failure: null,
      gap: null,
      measures: null,
      startedAtMs,
      endedAtMs: this.#context.clockMs(),
    });
  }

  async #move(connection: ConnectionState, migration: MigrationRecord): Promise<boolean> {
    const { metrics, clockMs } = this.#context;
    const moveId = newId64();
    const { targetNodeId, migrationId, rehearsal } = migration;
    const begun: MoveRecord = {
      moveId,
      migrationId,
      connectionId: connection.connectionId,
      fromNodeId: connection.transport?.ownerNodeId ?? '',
      toNodeId: targetNodeId,
      outcome: null,
      failure: null,
      gap: null,
      measures: null,
      startedAtMs: clockMs(),
      endedAtMs: null,
    };
    this.#moveLog.note(begun);
    const report = await moveTransport(this.#context, this.#waits, {
      moveId,
      connection,
      targetNodeId,
      rehearsal,
    });
    const { outcome, failure } = report;
    const measures: Json = { ...report.measures };
    this.#moveLog.note({ ...begun, outcome, failure, measures, endedAtMs: clockMs() });
    metrics.moves.inc({ outcome: report.outcome, failure: report.failure ?? 'none' });
    if (report.measures.transferMs !== undefined) metrics.transferMs.observe(report.measures.transferMs);
    // Somebody who left meanwhile is no failure of the migration.
    return report.outcome === (rehearsal ? 'rehearsed' : 'completed') || connection.ended;
  }
}
