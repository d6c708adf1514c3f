import { isSamePair } from '@godwit/transport';
import type { Core } from './core.js';
import { PROOF_WATCHES_MAX } from './limits.js';
import type { Origin } from './origin.js';
import { prove } from './paths.js';
import type { ProofWatch, TransportEntry } from './transport-entry.js';

/** One proof for the next authenticated packet by the named way. Watching the same way twice is watching once. */
export function watchProof(transport: TransportEntry, watch: ProofWatch): void {
  transport.watches = transport.watches.filter((other) => !isSameWay(other, watch));
  transport.watches.push(watch);
  if (transport.watches.length > PROOF_WATCHES_MAX) transport.watches.shift();
}

/** An authenticated packet that was not seen before has come. */
export function noteAuthenticated(
  core: Core,
  transport: TransportEntry,
  origin: Origin,
  arrivedAtMicros: number,
): void {
  if (origin.kind === 'socket') prove(core, origin, arrivedAtMicros);
  if (transport.watches.length === 0) return;
  const left = transport.watches.filter((watch) => !isFulfilled(watch, origin));
  if (left.length === transport.watches.length) return;
  transport.watches = left;
  core.exceptions.push({
    kind: 'proof',
    transportId: transport.id,
    generation: transport.generation,
    via:
      origin.kind === 'socket'
        ? { kind: 'socket', socket: origin.socket, remote: origin.remote }
        : { kind: 'link', linkId: origin.linkId, pathId: origin.kind === 'link' ? origin.pathId : 0 },
    atMs: core.clockMicros() / 1000,
  });
}

/** What was bounced came by a socket of ours at an earlier time: it proves no path of now. */
function isFulfilled(watch: ProofWatch, origin: Origin): boolean {
  switch (watch.kind) {
    case 'any':
      return true;
    case 'socket':
      return origin.kind === 'socket' && isSamePair(watch, origin);
    case 'link':
      return origin.kind === 'link' && origin.linkId === watch.linkId;
  }
}

function isSameWay(a: ProofWatch, b: ProofWatch): boolean {
  if (a.kind === 'socket') return b.kind === 'socket' && isSamePair(a, b);
  if (a.kind === 'link') return b.kind === 'link' && a.linkId === b.linkId;
  return b.kind === 'any';
}
