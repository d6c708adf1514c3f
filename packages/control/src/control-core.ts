import type { Logger } from 'pino';
import { REPLICAS_MAX, SIGNALLING_RESUME_GRACE_MS, type ControlReplica } from '@godwit/protocol';
import { aloneAs, type Membership, type RosterStorage } from '@godwit/storage';
import type { ControlContext, Timings } from './context.js';
import {
  CONNECTED_WAIT_MS,
  NODE_COMMAND_TIMEOUT_MS,
  NODE_DEAD_MS,
  NODE_MISSING_AFTER_MS,
  NODE_REPORT_GRACE_MS,
  PATH_PROOF_TIMEOUT_MS,
  REJOIN_TIMEOUT_MS,
  RESTART_ANSWER_TIMEOUT_MS,
  TRANSFER_ALONE_MS,
  TRANSFER_TIMEOUT_MS,
} from './limits.js';
import { createMetrics } from './metrics.js';
import { Migrations } from './migration/migrations.js';
import { shareOf } from './migration/move-slots.js';
import { MoveWaits } from './migration/move-waits.js';
import { NodeEvents } from './nodes/node-events.js';
import { NodeRegistry } from './nodes/registry.js';
import { Reconciliation } from './nodes/reconciliation.js';
import { Retention } from './roster/retention.js';
import { raiseTerm } from './roster/raise-term.js';
import { Roster } from './roster/roster.js';
import { RouteDistributor } from './roster/route-distributor.js';
import { UnwrittenChanges } from './roster/unwritten.js';
import { newReplicaId } from './ids.js';
import { Upkeep } from './upkeep.js';

const DEFAULT_TIMINGS: Timings = {
  pathProofMs: PATH_PROOF_TIMEOUT_MS,
  transferMs: TRANSFER_TIMEOUT_MS,
  transferAloneMs: TRANSFER_ALONE_MS,
  restartAnswerMs: RESTART_ANSWER_TIMEOUT_MS,
  connectedWaitMs: CONNECTED_WAIT_MS,
  resumeGraceMs: SIGNALLING_RESUME_GRACE_MS,
  nodeReportGraceMs: NODE_REPORT_GRACE_MS,
  nodeCommandMs: NODE_COMMAND_TIMEOUT_MS,
  nodeDeadMs: NODE_DEAD_MS,
  nodeMissingMs: NODE_MISSING_AFTER_MS,
  rejoinMs: REJOIN_TIMEOUT_MS,
};

export interface ControlCoreOptions extends Pick<
  ControlContext,
  'storage' | 'log' | 'clockMs' | 'projects' | 'migrationMinAgeMs'
> {
  readonly storage: RosterStorage;
  readonly log: Logger;
  /** Waits that differ from the usual ones. */
  readonly timings?: Partial<Timings>;
  /** Default: nobody delivers callbacks. */
  readonly callbacksDue?: () => void;
  /** Default: the only control of its storage. */
  readonly membership?: Membership;
  /** Others have taken this control for dead. */
  readonly onLost?: () => void;
}

/** The decisions of control, wired, without its listeners: nodes and clients come through registry and roster. */
export class ControlCore {
  readonly context: ControlContext;
  readonly migrations: Migrations;
  readonly waits = new MoveWaits((ofNode) => shareOf(this.context, ofNode));
  readonly #retention: Retention;
  readonly #upkeep: Upkeep;
  #isLeaving = false;

  constructor(options: ControlCoreOptions) {
    const { storage, log, clockMs } = options;
    const membership = options.membership ?? aloneAs(newReplicaId(), clockMs());
    const timings = { ...DEFAULT_TIMINGS, ...options.timings };
    const nodes = new NodeRegistry({
      storage,
      log,
      clockMs,
      commandTimeoutMs: timings.nodeCommandMs,
      deadMs: timings.nodeDeadMs,
      missingAfterMs: timings.nodeMissingMs,
      reportGraceMs: timings.nodeReportGraceMs,
      controls: () => ({ replicaId: membership.replicaId, replicas: reachable(membership) }),
    });
    const roster = new Roster();
    const superseded: ControlContext['superseded'] = (session, term) =>
      raiseTerm({ storage, membership, log, roster }, session, term, () => options.onLost?.());
    this.context = {
      storage,
      membership,
      nodes,
      routes: new RouteDistributor({ nodes, roster, superseded, log }),
      roster,
      superseded,
      isLeaving: () => this.#isLeaving,
      takenUp: (connections) => {
        const asked = reconciliation.takenUp(connections);
        asked
          .then(() => events.drainStopping())
          .catch((error: unknown) => {
            log.error({ error: String(error) }, 'asking nodes for what they run failed');
          });
      },
      unwritten: new UnwrittenChanges(log),
      log,
      metrics: createMetrics(),
      projects: options.projects,
      callbacksDue: options.callbacksDue ?? (() => undefined),
      clockMs,
      migrationMinAgeMs: options.migrationMinAgeMs,
      timings,
    };
    this.migrations = new Migrations(this.context, this.waits);
    this.#retention = new Retention(this.context);
    this.#upkeep = new Upkeep(this.context);
    const reconciliation = new Reconciliation(this.context);
    const events = new NodeEvents(this.context, this.migrations, this.waits, reconciliation);
    nodes.setListener(events);
  }

  /** Takes up what earlier controls left. Before any node or client is let in. */
  async recover(): Promise<void> {
    const { storage, membership, nodes, clockMs } = this.context;
    const [self] = membership.replicas();
    if (membership.isAlone && self !== undefined) await storage.replicas.beginAlone(self);
    // Nodes that own nothing, and are about to own nothing, register anew: their ids are free again.
    if (membership.replicas().length === 1) await storage.nodes.forgetIdle(clockMs() + 1);
    nodes.load(await storage.nodes.list());
    await this.#upkeep.takeAll();
  }

  /** Lets go of every session, so that others may take them up: nothing of them ends. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    this.context.roster.clear();
    await this.context.membership.leave();
  }

  /** A control of the same storage has come or gone. */
  replicasChanged(): void {
    this.#upkeep.replicasChanged();
  }

  /** Lets go of nodes that are silent or long gone, and of what ended long ago; call every TICK_INTERVAL_MS. */
  tick(nowMs: number): void {
    if (this.#isLeaving) return;
    this.context.nodes.tick(nowMs);
    this.#retention.tick(nowMs);
    this.context.unwritten.tick();
    this.#upkeep.tick(nowMs);
  }
}

/** Those that listen. */
function reachable(membership: Membership): ControlReplica[] {
  return membership
    .replicas()
    .flatMap(({ replicaId, url }) => (url === null ? [] : [{ replicaId, url }]))
    .slice(0, REPLICAS_MAX);
}
