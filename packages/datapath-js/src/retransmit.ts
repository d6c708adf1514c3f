import type { StreamKey } from '@godwit/datapath';
import { extendSequence } from '@godwit/rtp';
import type { Core } from './core.js';
import { retransmitToEgress } from './forward.js';
import { RETRANSMIT_PACKETS_MAX } from './limits.js';
import { SourcePacket } from './source-packet.js';
import type { TransportEntry } from './transport-entry.js';

const cached = new SourcePacket();

/** As Datapath.retransmit. */
export function retransmit(
  core: Core,
  transport: TransportEntry,
  ssrc: number,
  sequences: readonly number[],
): { stream: StreamKey; missing: number[] } | null {
  const egress = transport.egresses.get(ssrc);
  if (egress === undefined || egress.rtxSsrc === null) return null;
  const missing: number[] = [];
  const stream = core.streams.getByText(egress.streamText);
  const { lastOutIndex } = egress.mapping;
  if (stream === null || lastOutIndex < 0) return { stream: egress.key, missing };
  for (const sequence of sequences.slice(0, RETRANSMIT_PACKETS_MAX)) {
    const sourceIndex = egress.mapping.toSource(extendSequence(lastOutIndex, sequence));
    if (sourceIndex < 0) continue;
    if (stream.cache.read(sourceIndex, cached)) retransmitToEgress(core, egress, cached, sequence);
    else missing.push(sourceIndex);
  }
  return { stream: egress.key, missing };
}
