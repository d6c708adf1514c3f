import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { AuditEntry, PlannedEnd, Storage } from '@godwit/storage';
import { sessionNotificationEvent } from '../callbacks/events.js';
import { ControlError } from '../errors.js';
import { PLANNED_END_AHEAD_MAX_MS, PLANNED_END_KEPT_MS, PLANNED_END_LOOK_MS } from '../limits.js';
import { addressesOf, currentNotice, whereaboutsOf } from './end-notices.js';
import type { NodeEnd, NodeRegistry } from './registry.js';

export interface PlannedEndsOptions {
  readonly storage: Pick<Storage, 'plannedEnds'>;
  readonly nodes: NodeRegistry;
  readonly log: Logger;
  readonly clockMs: () => number;
  /** Callbacks were written: they are looked for at once. */
  readonly callbacksDue: () => void;
}

/**
 * When nodes are to end, and that their sessions hear of it in time. All of it is in rows: several controls may do the
 * same at the same time, and one that starts again goes on.
 */
export class PlannedEnds {
  readonly #options: PlannedEndsOptions;
  #looking: Promise<void> | null = null;
  #read: Promise<readonly PlannedEnd[]> = Promise.resolve([]);
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  constructor(options: PlannedEndsOptions) {
    this.#options = options;
  }

  /** Plans the end of a node, in place of what was planned before. Throws a ControlError. */
  async plan(nodeId: string, { endsAtMs, reason }: NodeEnd): Promise<void> {
    const { storage, nodes, clockMs } = this.#options;
    const node = nodes.get(nodeId);
    if (node === null) throw new ControlError('nodeNotFound', 'There is no such node.');
    const nowMs = clockMs();
    if (endsAtMs <= nowMs) throw new ControlError('badRequest', 'endsAt must be in the future.');
    if (endsAtMs - nowMs > PLANNED_END_AHEAD_MAX_MS)
      throw new ControlError('badRequest', 'endsAt must be within a year, in milliseconds since 1970.');
    const { identityKey } = node;
    const planId = randomUUID();
    const addresses = addressesOf(node);
    const plan = { planId, nodeId, identityKey, addresses, endsAtMs, reason, plannedAtMs: nowMs };
    await storage.plannedEnds.set(
      plan,
      auditOf(nowMs, 'node.end-planned', nodeId, { endsAt: endsAtMs, reason }),
    );
    await this.#readAnew();
    this.#lookSoon();
  }

  /** The node stays. Throws a ControlError when there is neither such a node nor a plan for one. */
  async withdraw(nodeId: string): Promise<void> {
    const { storage, nodes, clockMs } = this.#options;
    const audit = auditOf(clockMs(), 'node.end-withdrawn', nodeId, {});
    const isWithdrawn = await storage.plannedEnds.remove(nodeId, audit);
    if (!isWithdrawn && nodes.get(nodeId) === null)
      throw new ControlError('nodeNotFound', 'There is no such node.');
    await this.#readAnew();
    this.#lookSoon();
  }

  /** To be called every TICK_INTERVAL_MS. */
  tick(nowMs: number): void {
    // A clock that was set back must not stop it.
    if (this.#isClosed || Math.abs(nowMs - this.#lookedAtMs) < PLANNED_END_LOOK_MS) return;
    this.#lookedAtMs = nowMs;
    this.#lookSoon();
  }

  /** Reads what is planned, finds the nodes again, and tells whom it concerns. Rejects when the database is away. */
  async look(): Promise<void> {
    // What was changed meanwhile may have been read already: one more round, after the one that runs.
    await this.#looking?.catch(() => undefined);
    this.#looking ??= this.#look().finally(() => (this.#looking = null));
    return this.#looking;
  }

  /** Waits for what runs. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#looking?.catch(() => undefined);
    await this.#read.catch(() => undefined);
  }

  #lookSoon(): void {
    this.look().catch((error: unknown) =>
      this.#options.log.warn({ error: String(error) }, 'looking at planned ends failed'),
    );
  }

  async #look(): Promise<void> {
    for (const plan of await this.#readAnew()) {
      const remainingSeconds = currentNotice(plan, this.#options.clockMs());
      if (remainingSeconds !== null) await this.#tell(plan, remainingSeconds);
    }
  }

  /** One after the other: what was read first must not be taken for the newer. */
  #readAnew(): Promise<readonly PlannedEnd[]> {
    this.#read = this.#read.catch(() => undefined).then(() => this.#readPlans());
    return this.#read;
  }

  async #readPlans(): Promise<readonly PlannedEnd[]> {
    const { storage, nodes } = this.#options;
    let plans = await storage.plannedEnds.list();
    if (await this.#follow(plans)) plans = await storage.plannedEnds.list();
    nodes.setEnds(new Map(plans.map((plan) => [plan.nodeId, plan])));
    return plans;
  }

  /** True when a plan has changed. */
  async #follow(plans: readonly PlannedEnd[]): Promise<boolean> {
    const { storage, nodes, clockMs, log } = this.#options;
    let hasChanged = false;
    for (const plan of plans) {
      const { planId, nodeId } = plan;
      const found = whereaboutsOf(plan, nodes.list());
      switch (found.kind) {
        case 'unchanged':
          continue;
        case 'away':
          if (clockMs() - plan.endsAtMs < PLANNED_END_KEPT_MS) continue;
          await storage.plannedEnds.forget(planId);
          break;
        case 'replaced':
          log.warn({ nodeId }, 'a node of another host has this id: its planned end is forgotten');
          await storage.plannedEnds.forget(planId);
          break;
        case 'moved':
          log.info({ nodeId, now: found.place.nodeId }, 'a planned end has found its node again');
          await storage.plannedEnds.follow(planId, found.place);
          break;
      }
      hasChanged = true;
    }
    return hasChanged;
  }

  async #tell(plan: PlannedEnd, remainingSeconds: number): Promise<void> {
    const { storage, clockMs, callbacksDue, log } = this.#options;
    const { planId, nodeId, endsAtMs } = plan;
    for (;;) {
      const nowMs = clockMs();
      const told = await storage.plannedEnds.tell(
        { planId, remainingSeconds, group: 'session', event: 'sessionNotification', nowMs },
        ({ sessionId, apiKey, eventId }) =>
          sessionNotificationEvent({ sessionId, apiKey, nowMs }, { eventId, remainingSeconds, endsAtMs }),
      );
      if (told.length === 0 || this.#isClosed) return;
      log.info({ nodeId, remainingSeconds, sessions: told.length }, 'told of the planned end of their node');
      callbacksDue();
    }
  }
}

const auditOf = (atMs: number, action: string, nodeId: string, detail: AuditEntry['detail']): AuditEntry => ({
  atMs,
  actor: 'admin',
  action,
  subject: nodeId,
  detail,
});
