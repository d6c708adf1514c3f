import { iceCredentials } from '@godwit/protocol';
import { z } from 'zod';

const strictCredentials = z.strictObject(iceCredentials.shape);
const generation = { local: strictCredentials, remote: strictCredentials.nullable() };

/** What travels of an ICE agent; addresses and priorities that the client was told are control's. Times are ages. */
export const frozenIce = z.strictObject({
  ...generation,
  /** Set during an ICE restart. */
  previous: z.strictObject(generation).nullable(),
  /** Since the last authenticated check. */
  heardAgeMs: z.number().min(0).max(86_400_000),
});
export type FrozenIce = z.infer<typeof frozenIce>;
