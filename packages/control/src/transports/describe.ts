import { z } from 'zod';
import {
  codecFormat,
  dtlsFingerprint,
  dtlsSetup,
  headerExtensionIds,
  iceCredentials,
  poolAddress,
  uint32,
  type PoolAddress,
} from '@godwit/protocol';
import { CANDIDATE_PRIORITY_BASE, CANDIDATE_PRIORITY_MAX, CANDIDATE_PRIORITY_STEP } from '../limits.js';
import type { ToldCandidate, TransportDescription } from '../roster/state.js';

/** Several addresses of one hop (IPv4, IPv6) keep their order below the step of a hop. */
const ADDRESS_PRIORITY_STEP = 0x100;

const sectionUse = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('publish'),
    streamId: z.string(),
    ssrc: uint32.optional(),
    rtxSsrc: uint32.optional(),
  }),
  z.object({ type: z.literal('subscribe'), streamId: z.string(), ssrc: uint32, rtxSsrc: uint32.optional() }),
  z.object({ type: z.literal('inactive') }),
  z.object({ type: z.literal('rejected') }),
]);

const description = z.object({
  localSsrc: uint32,
  generation: uint32,
  ice: iceCredentials,
  fingerprint: dtlsFingerprint,
  remote: z.object({ ice: iceCredentials, fingerprint: dtlsFingerprint, setup: dtlsSetup }),
  isReplacement: z.boolean().default(false),
  candidates: z.array(poolAddress.extend({ priority: z.number() })),
  hops: z.number().int(),
  negotiated: z.object({
    sdpSessionId: z.string(),
    version: z.number().int(),
    extmapAllowMixed: z.boolean(),
    sections: z.array(
      z.object({
        mid: z.string(),
        kind: z.enum(['audio', 'video', 'application']),
        use: sectionUse,
        codecs: z.array(codecFormat),
        rtcpFeedback: z.record(z.string(), z.array(z.string())),
        extensions: headerExtensionIds,
        protocol: z.string(),
        formats: z.string(),
      }),
    ),
    ssrcsUsed: z.array(uint32),
  }),
});

/** Reads what an earlier control wrote into a row. Null when this version cannot use it. */
export function parseDescription(json: unknown): TransportDescription | null {
  const parsed = description.safeParse(json);
  return parsed.success ? parsed.data : null;
}

/** Candidates of one hop, and its number. */
export interface Hop {
  readonly hop: number;
  readonly candidates: readonly ToldCandidate[];
}

/** Addresses with the priorities of the given hop; null when priorities have run out. */
export function candidatesOfHop(addresses: readonly PoolAddress[], hop: number): Hop | null {
  const top =
    CANDIDATE_PRIORITY_BASE + hop * CANDIDATE_PRIORITY_STEP + (addresses.length - 1) * ADDRESS_PRIORITY_STEP;
  if (top > CANDIDATE_PRIORITY_MAX) return null;
  const candidates = addresses.map((address, index) => ({
    ...address,
    priority: top - index * ADDRESS_PRIORITY_STEP,
  }));
  return { hop, candidates };
}

/**
 * Candidates of an ICE restart. They too lie above all before: Chromium prunes a new pair, and never checks it, while
 * a pair of the old generation with a higher priority works. Only when priorities have run out do they start anew.
 */
export function candidatesOfRestart(addresses: readonly PoolAddress[], hops: number): Hop | null {
  return candidatesOfHop(addresses, hops + 1) ?? candidatesOfHop(addresses, 0);
}
