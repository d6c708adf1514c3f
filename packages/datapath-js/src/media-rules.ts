import type { MediaRules } from '@godwit/datapath';
import type { Core } from './core.js';
import { Egress } from './egress.js';
import { IngressTable } from './ingress-table.js';
import type { TransportEntry } from './transport-entry.js';

/** Replaces the rules of a transport; an egress of the same SSRC and stream keeps its state. Throws before any change. */
export function applyMedia(core: Core, transport: TransportEntry, media: MediaRules): void {
  const ssrcs = new Set(media.egress.map((rule) => rule.ssrc));
  if (ssrcs.size !== media.egress.length) throw new Error('two egress rules name one SSRC');
  const former = transport.egresses;
  const egresses = new Map<number, Egress>();
  for (const rule of media.egress) {
    const existing = former.get(rule.ssrc);
    if (existing?.key.streamId === rule.streamId && existing.key.encodingId === rule.encodingId) {
      existing.apply(rule);
      egresses.set(rule.ssrc, existing);
    } else {
      egresses.set(rule.ssrc, new Egress(transport, rule, core.randomInteger(0, 0xffff_ffff)));
    }
  }
  detachEgresses(core, transport, egresses);
  for (const egress of egresses.values()) {
    if (former.get(egress.ssrc) !== egress) core.streams.attach(egress);
  }
  transport.egresses = egresses;
  transport.ingress = new IngressTable(media.ingress, transport.ingress);
  transport.generation = media.generation;
}

/** Takes off the streams whatever is not among `staying`. */
export function detachEgresses(
  core: Core,
  transport: TransportEntry,
  staying: ReadonlyMap<number, Egress>,
): void {
  for (const egress of transport.egresses.values()) {
    if (staying.get(egress.ssrc) !== egress) core.streams.detach(egress);
  }
}
