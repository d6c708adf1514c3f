import { iceCredentials } from '@godwit/protocol';
import { z } from 'zod';
import { ICE_USED_ADDRESSES_MAX } from '../limits.js';

/** Addresses and priorities that one client was told in one ICE generation. */
export const frozenHops = z.strictObject({
  /** As formatAddress writes them. */
  usedAddresses: z.array(z.string().max(64)).max(ICE_USED_ADDRESSES_MAX),
  /** 0: only the addresses of the first description. */
  hopCount: z.number().int().min(0).max(1_024),
  /** Priority of the newest IPv4 candidate; an IPv6 one is 2^15 above. */
  lastPriority: z.number().int().min(0).max(2_147_483_647),
});
export type FrozenHops = z.infer<typeof frozenHops>;

const strictCredentials = z.strictObject(iceCredentials.shape);
const generation = { local: strictCredentials, remote: strictCredentials.nullable() };

/** What travels of an ICE agent. Times are ages. */
export const frozenIce = z.strictObject({
  ...generation,
  /** Set during an ICE restart. */
  previous: z.strictObject(generation).nullable(),
  hops: frozenHops,
  /** Since the last authenticated check. */
  heardAgeMs: z.number().min(0).max(86_400_000),
});
export type FrozenIce = z.infer<typeof frozenIce>;
