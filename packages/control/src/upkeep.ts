import type { ControlContext } from './context.js';
import {
  NODE_FORGET_MS,
  NODES_SEEN_INTERVAL_MS,
  ORPHANS_AT_ONCE_MAX,
  ORPHANS_INTERVAL_MS,
  ORPHANS_PATIENCE_MS,
  PROBE_INTERVAL_MS,
  PROBED_AT_ONCE_MAX,
  SIGNALS_KEPT_MS,
} from './limits.js';
import { nodeFor } from './nodes/session-node.js';
import { keepOrphans, letGoOfIdle } from './roster/keep.js';
import { isDatabaseAway } from './roster/unwritten.js';

/** What a control does now and then for the sessions and nodes of its database. */
export class Upkeep {
  readonly #context: ControlContext;
  readonly #startedAtMs: number;
  #orphansDueMs = 0;
  #seenDueMs = 0;
  #isTaking = false;
  #probeDueMs = 0;
  #probed = 0;

  constructor(context: ControlContext) {
    this.#context = context;
    this.#startedAtMs = context.clockMs();
  }

  /** A control has come or gone: it may have left sessions. */
  replicasChanged(): void {
    this.#orphansDueMs = 0;
    this.#context.nodes.tellReplicas();
  }

  tick(nowMs: number): void {
    if (!this.#context.membership.isSure() && nowMs >= this.#probeDueMs) {
      this.#probeDueMs = nowMs + PROBE_INTERVAL_MS;
      this.#probe();
    }
    // A clock that was set back must not put anything off.
    if (nowMs >= this.#orphansDueMs || this.#orphansDueMs - nowMs > ORPHANS_INTERVAL_MS)
      this.#takeOrphans(nowMs);
    if (nowMs >= this.#seenDueMs || this.#seenDueMs - nowMs > NODES_SEEN_INTERVAL_MS) {
      this.#seenDueMs = nowMs + NODES_SEEN_INTERVAL_MS;
      this.#watch(this.#noteNodes(nowMs), 'noting which nodes are here failed');
      this.#watch(letGoOfIdle(this.#context), 'letting go of idle sessions failed');
      for (const { signals } of this.#context.roster.sessions()) signals.forget(nowMs - SIGNALS_KEPT_MS);
    }
  }

  /** Everything that an earlier control has left. Before any node or client is let in. */
  async takeAll(): Promise<void> {
    while ((await keepOrphans(this.#context)) === ORPHANS_AT_ONCE_MAX);
  }

  #takeOrphans(nowMs: number): void {
    const { nodes } = this.#context;
    // Whoever knows the nodes is better off with them.
    if (nodes.connected().length === 0 && nowMs - this.#startedAtMs < ORPHANS_PATIENCE_MS) return;
    if (this.#isTaking) return;
    this.#isTaking = true;
    this.#orphansDueMs = nowMs + ORPHANS_INTERVAL_MS;
    const taken = keepOrphans(this.#context).then((count) => {
      if (count === ORPHANS_AT_ONCE_MAX) this.#orphansDueMs = 0;
    });
    this.#watch(
      taken.finally(() => (this.#isTaking = false)),
      'taking up sessions failed',
    );
  }

  /**
   * The database does not answer us: is it away for all, or have others taken over? Then the nodes of our sessions have heard of it,
   * and refuse us (`superseded`), which ends this control. A call in which nobody does anything would not notice by itself.
   */
  #probe(): void {
    const inhabited = this.#context.roster.sessions().filter(({ connections }) => connections.size > 0);
    const probed = inhabited.slice(this.#probed, this.#probed + PROBED_AT_ONCE_MAX);
    this.#probed = probed.length < PROBED_AT_ONCE_MAX ? 0 : this.#probed + PROBED_AT_ONCE_MAX;
    for (const session of probed) {
      const owners = [...session.connections.values()].flatMap(({ transport }) =>
        transport === null ? [] : [transport.ownerNodeId],
      );
      for (const nodeId of new Set(owners)) {
        nodeFor(this.#context, session, nodeId)
          ?.command('reportTransports', { transportIds: [] })
          // What matters is done by who is told of a refusal.
          .catch(() => undefined);
      }
    }
  }

  /** Nodes that have been away from every control for long, own nothing and are about to own nothing: their identities are not pinned for ever. */
  async #noteNodes(nowMs: number): Promise<void> {
    const { nodes, storage, roster, membership } = this.#context;
    await storage.nodes.seen(nodes.connected(), nowMs);
    if (membership.isLeader()) await storage.nodes.forgetIdle(nowMs - NODE_FORGET_MS);
    const known = new Set((await storage.nodes.list()).map(({ nodeId }) => nodeId));
    for (const nodeId of nodes.longGone(nowMs)) {
      if (!known.has(nodeId) && roster.connectionsBoundTo(nodeId).length === 0) nodes.forget(nodeId);
    }
  }

  #watch(work: Promise<unknown>, message: string): void {
    work.catch((error: unknown) => {
      const log = isDatabaseAway(error) ? 'debug' : 'error';
      this.#context.log[log]({ error: String(error) }, message);
    });
  }
}
