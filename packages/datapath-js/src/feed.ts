import { GAP_PACKETS_MAX } from '@godwit/datapath';
import type { Core } from './core.js';
import { forwardToEgress } from './forward.js';
import { INDEX_DUPLICATE, INDEX_NEW } from './index-window.js';
import type { SourcePacket } from './source-packet.js';
import type { FeedSource, Stream } from './stream.js';

/**
 * Takes one packet of a stream, from the publisher's transport or from a relay: once per index it is cached, relayed
 * when it came from a local transport, and sent to every egress. Padding-only packets go on as they are: leaving
 * them out would cost a mapping each.
 */
export function feedStream(core: Core, stream: Stream, packet: SourcePacket, source: FeedSource): void {
  const highest = stream.window.highest;
  const verdict = stream.window.add(packet.index);
  if (verdict !== INDEX_NEW) {
    if (verdict === INDEX_DUPLICATE) core.counters.dropped_duplicate += 1;
    else core.counters.dropped_stale += 1;
    return;
  }
  if (highest >= 0 && packet.index > highest + 1) reportGap(core, stream, source, highest + 1, packet.index);
  stream.cache.put(packet);
  stream.lastFedAtMicros = packet.arrivedAtMicros;
  stream.packets += 1;
  stream.octets += packet.length - packet.headerLength;
  if (source.kind === 'transport') relay(core, stream, packet);
  const { egresses } = stream;
  for (let at = 0; at < egresses.length; at += 1) {
    const egress = egresses[at];
    if (egress !== undefined) forwardToEgress(core, egress, packet);
  }
}

function relay(core: Core, stream: Stream, packet: SourcePacket): void {
  for (const linkId of stream.options.relayTo) core.links.sendMedia(linkId, stream, packet);
}

function reportGap(core: Core, stream: Stream, source: FeedSource, fromIndex: number, toIndex: number): void {
  const count = toIndex - fromIndex;
  if (count > GAP_PACKETS_MAX) return;
  const atMs = core.clockMicros() / 1000;
  core.exceptions.push({ kind: 'gap', stream: stream.key, fromIndex, count, source, atMs });
}
