import type { PoolAddress } from '@godwit/protocol';
import type { FrozenHops } from './frozen-ice.js';

/** RFC 8445 5.1.2.1: type preference of host candidates and the component of RTP with rtcp-mux. */
const HOST_TYPE_PREFERENCE = 126;
const COMPONENT = 1;
/** 2^16 in the priority is 256 steps of local preference: far more than any other difference between candidates. */
const HOP_PRIORITY_STEP = 2 ** 16;
/** IPv6 first (RFC 8421 4), and no two candidates of one priority. */
const IPV6_PRIORITY_BONUS = 2 ** 15;
const FIRST_PRIORITY = HOST_TYPE_PREFERENCE * 2 ** 24 + (256 - COMPONENT);
/** Highest local preference; every priority stays below 2^31. */
const LAST_PRIORITY = FIRST_PRIORITY + 65_535 * 2 ** 8;

export interface PrioritisedAddress extends PoolAddress {
  readonly priority: number;
}

export type HopPlan =
  /** Tell the client of these candidates. */
  | { readonly kind: 'candidate'; readonly addresses: readonly PrioritisedAddress[]; readonly hop: number }
  /** Addresses or priorities of this generation have run out: a server-offered ICE restart resets both. */
  | { readonly kind: 'restartNeeded'; readonly reason: 'noFreshAddress' | 'noHigherPriority' };

/** "192.0.2.1:5000" or "[2001:db8::1]:5000". */
export function formatAddress(address: PoolAddress): string {
  return address.family === 'IPv6'
    ? `[${address.address}]:${address.port}`
    : `${address.address}:${address.port}`;
}

/** At most one address per family that is not in `used` (as formatAddress writes them), in the pool's order. */
export function chooseFreshAddresses(pool: readonly PoolAddress[], used: readonly string[]): PoolAddress[] {
  const seen = new Set(used);
  const isFresh = (address: PoolAddress) => !seen.has(formatAddress(address));
  const families = ['IPv6', 'IPv4'] as const;
  return families.flatMap((family) => pool.find((entry) => entry.family === family && isFresh(entry)) ?? []);
}

/** Priority of a host candidate of hop `hop` (0: the first description). */
export function hopPriority(hop: number, family: PoolAddress['family']): number {
  return FIRST_PRIORITY + hop * HOP_PRIORITY_STEP + (family === 'IPv6' ? IPV6_PRIORITY_BONUS : 0);
}

/**
 * Which addresses and priorities a client has seen in the current ICE generation: a browser ignores a known address
 * and a lower priority, so each hop needs new ones (HANDOVER 6).
 */
export class HopLedger {
  readonly #used: Set<string>;
  #hopCount: number;
  #lastPriority: number;

  private constructor(frozen: FrozenHops) {
    this.#used = new Set(frozen.usedAddresses);
    this.#hopCount = frozen.hopCount;
    this.#lastPriority = frozen.lastPriority;
  }

  /** A new generation, whose description names these addresses with the priorities of hop 0. */
  static start(usedAddresses: readonly string[]): HopLedger {
    return new HopLedger({ usedAddresses: [...usedAddresses], hopCount: 0, lastPriority: FIRST_PRIORITY });
  }

  static thaw(frozen: FrozenHops): HopLedger {
    return new HopLedger(frozen);
  }

  /** Adds what another ledger of the same generation knows. */
  adopt(frozen: FrozenHops): void {
    for (const address of frozen.usedAddresses) this.#used.add(address);
    this.#hopCount = Math.max(this.#hopCount, frozen.hopCount);
    this.#lastPriority = Math.max(this.#lastPriority, frozen.lastPriority);
  }

  freeze(): FrozenHops {
    return {
      usedAddresses: this.usedAddresses,
      hopCount: this.#hopCount,
      lastPriority: this.#lastPriority,
    };
  }

  get usedAddresses(): string[] {
    return [...this.#used];
  }

  plan(pool: readonly PoolAddress[]): HopPlan {
    const base = this.#lastPriority + HOP_PRIORITY_STEP;
    if (base + IPV6_PRIORITY_BONUS > LAST_PRIORITY)
      return { kind: 'restartNeeded', reason: 'noHigherPriority' };
    const fresh = chooseFreshAddresses(pool, this.usedAddresses);
    if (fresh.length === 0) return { kind: 'restartNeeded', reason: 'noFreshAddress' };
    const addresses = fresh.map((address) => ({
      ...address,
      priority: address.family === 'IPv6' ? base + IPV6_PRIORITY_BONUS : base,
    }));
    return { kind: 'candidate', addresses, hop: this.#hopCount + 1 };
  }

  /** The client has been told. */
  take(plan: Extract<HopPlan, { kind: 'candidate' }>): void {
    for (const address of plan.addresses) this.#used.add(formatAddress(address));
    this.#hopCount = plan.hop;
    this.#lastPriority += HOP_PRIORITY_STEP;
  }
}
