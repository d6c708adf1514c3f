import type { Platform } from './platform.js';
import type { SimNode } from './sim-node.js';
import { Violation } from './violation.js';

/**
 * How long a live transport may be without an owner after the last fault has ended: control's word comes 5 s after a
 * transfer that was never answered, and waits for the nodes' answers as long again.
 */
export const OWNERLESS_MS_MAX = 11_000;

interface Held {
  readonly node: SimNode;
  readonly epoch: number;
  /** The state is on its way to another node: nobody encrypts. */
  readonly isFrozen: boolean;
}

/** Checked after every event. */
export class StepInvariants {
  readonly #platform: Platform;
  /** Who has ever owned which epoch of which transport. */
  readonly #owners = new Map<string, SimNode>();
  /** The owner of the highest epoch of each transport. */
  readonly #latest = new Map<string, { readonly epoch: number; readonly node: SimNode }>();
  readonly #ownedAtMs = new Map<string, number>();
  /** When the last fault ended; infinity while one lasts. */
  #calmSinceMs = 0;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** Infinity while a fault lasts. */
  set calmSinceMs(atMs: number) {
    this.#calmSinceMs = atMs;
  }

  check(): void {
    const platform = this.#platform;
    if (!platform.ownershipTouched) return;
    platform.ownershipTouched = false;
    platform.audit.checkRanges();
    for (const node of platform.liveNodes) {
      for (const host of node.core.context.transports.values()) {
        const { transportId, role } = host;
        if (role.name !== 'owner') continue;
        if (role.epoch >= (this.#latest.get(transportId)?.epoch ?? 0))
          this.#latest.set(transportId, { epoch: role.epoch, node });
        const key = `${transportId}/${role.epoch}`;
        const other = this.#owners.get(key);
        if (other === undefined) this.#owners.set(key, node);
        else if (other !== node) {
          const transport = platform.world.trace.nameOf('t', transportId);
          throw new Violation(
            'one-owner-per-epoch',
            `${transport} epoch ${role.epoch}: ${other.process.name} and ${node.process.name}`,
          );
        }
      }
    }
  }

  /** Now and then: transports of connected clients that nobody has owned for too long. */
  checkOwned(): void {
    const { world, clients } = this.#platform;
    for (const client of clients) {
      const { transportId } = client;
      if (transportId === null || !client.isConnected) continue;
      const holders = holdersOf(this.#platform, transportId);
      if (holders.some(({ isFrozen }) => !isFrozen)) {
        this.#ownedAtMs.set(transportId, world.nowMs);
        continue;
      }
      const sinceMs = Math.max(this.#ownedAtMs.get(transportId) ?? world.nowMs, this.#calmSinceMs);
      const isGivenUp = holders.length === 0 && this.#isGivenUp(transportId);
      if (isGivenUp || world.nowMs - sinceMs <= OWNERLESS_MS_MAX) continue;
      const name = world.trace.nameOf('t', transportId);
      throw new Violation(
        'owned-in-time',
        `${name} of ${client.process.name} has had no owner for ${OWNERLESS_MS_MAX} ms`,
      );
    }
  }

  /** Nobody can own it any more: it died with its node, and its client will join anew. */
  #isGivenUp(transportId: string): boolean {
    const { liveNodes } = this.#platform;
    const latest = this.#latest.get(transportId);
    return (
      (latest !== undefined && !liveNodes.includes(latest.node)) ||
      !liveNodes.some((node) => node.core.context.transports.get(transportId) !== undefined)
    );
  }
}

/** Every living node that owns the transport, as far as it knows. */
export function holdersOf(platform: Platform, transportId: string): Held[] {
  return platform.liveNodes.flatMap((node) => {
    const role = node.core.context.transports.get(transportId)?.role;
    if (role?.name !== 'owner') return [];
    const isFrozen = node.core.moves.sourceOf(transportId)?.move.stateName === 'transferring';
    return [{ node, epoch: role.epoch, isFrozen }];
  });
}
