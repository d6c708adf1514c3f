import type { Core } from './core.js';

/** What this datapath holds now, by Prometheus-like names. Looks at everything: for operators, not for packets. */
export function sizesOf({ links, sockets, streams, transports }: Core): Record<string, number> {
  const sizes = {
    transports: 0,
    bindings: 0,
    paths: 0,
    watches: 0,
    egresses: 0,
    held_packets: 0,
    streams: 0,
    cached_bytes: 0,
    links: links.size,
    sockets: sockets.size,
  };
  for (const transport of transports.all()) {
    sizes.transports += 1;
    sizes.bindings += transport.bindings.length;
    sizes.paths += transport.paths.length;
    sizes.watches += transport.watches.length;
    sizes.egresses += transport.egresses.size;
    sizes.held_packets += transport.held.size;
  }
  for (const stream of streams.all()) {
    sizes.streams += 1;
    sizes.cached_bytes += stream.cache.bytes;
  }
  return sizes;
}
