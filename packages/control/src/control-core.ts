import type { Logger } from 'pino';
import { SIGNALLING_RESUME_GRACE_MS } from '@godwit/protocol';
import type { RosterStorage } from '@godwit/storage';
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
import { MoveWaits } from './migration/move-waits.js';
import { NodeEvents } from './nodes/node-events.js';
import { NodeRegistry } from './nodes/registry.js';
import { forgetGoneNodes, recover } from './roster/recovery.js';
import { Retention } from './roster/retention.js';
import { Roster } from './roster/roster.js';
import { RouteDistributor } from './roster/route-distributor.js';
import { UnwrittenChanges } from './roster/unwritten.js';

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
}

/** The decisions of control, wired, without its listeners: nodes and clients come through registry and roster. */
export class ControlCore {
  readonly context: ControlContext;
  readonly migrations: Migrations;
  readonly waits = new MoveWaits();
  readonly #retention: Retention;

  constructor(options: ControlCoreOptions) {
    const { storage, log, clockMs } = options;
    const timings = { ...DEFAULT_TIMINGS, ...options.timings };
    const nodes = new NodeRegistry({
      storage,
      log,
      clockMs,
      commandTimeoutMs: timings.nodeCommandMs,
      deadMs: timings.nodeDeadMs,
      missingAfterMs: timings.nodeMissingMs,
      reportGraceMs: timings.nodeReportGraceMs,
    });
    this.context = {
      storage,
      nodes,
      routes: new RouteDistributor(nodes, log),
      roster: new Roster(storage),
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
    nodes.setListener(new NodeEvents(this.context, this.migrations, this.waits));
  }

  /** Takes up what an earlier control left. Before any node or client is let in. */
  recover(): Promise<void> {
    return recover(this.context);
  }

  /** Lets go of nodes that are silent or long gone, and of what ended long ago; call every TICK_INTERVAL_MS. */
  tick(nowMs: number): void {
    this.context.nodes.tick(nowMs);
    this.#retention.tick(nowMs);
    this.context.unwritten.tick();
    forgetGoneNodes(this.context, nowMs).catch((error: unknown) => {
      this.context.log.error({ error: String(error) }, 'forgetting a node failed');
    });
  }
}
