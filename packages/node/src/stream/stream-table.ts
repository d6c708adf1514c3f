import type { Datapath, LinkId, StreamKey } from '@godwit/datapath';
import type { StreamRoute } from '@godwit/protocol';
import type { Router } from '@godwit/sfu';
import { FORMER_INGRESS_MS } from '../limits.js';

interface AcceptedIngress {
  readonly linkId: LinkId;
  readonly ingressEpoch: number;
  /** Infinity for the owner and the upcoming one. */
  readonly untilMs: number;
}

/** From which node a stream comes, in which epoch of its owner there. */
export interface StreamIngress {
  readonly streamId: string;
  readonly nodeId: string;
  readonly ingressEpoch: number;
}

interface Entry {
  route: StreamRoute;
  accepted: AcceptedIngress[];
  /** Set when nobody here needs the stream any more: caches serve repairs of the move a little longer. */
  removeAtMs: number | null;
}

/**
 * Which streams this node has, from where, and to whom it relays them. Control states the routes; at the instant of a
 * transfer source and target turn a stream round by themselves, and a route of an older ingress epoch changes only
 * its consumers.
 */
export class StreamTable {
  readonly #datapath: Datapath;
  readonly #router: Router;
  readonly #hasLink: (nodeId: string) => boolean;
  readonly #entries = new Map<string, Entry>();
  #nodeId = '';

  constructor(datapath: Datapath, router: Router, hasLink: (nodeId: string) => boolean) {
    this.#datapath = datapath;
    this.#router = router;
    this.#hasLink = hasLink;
  }

  setNodeId(nodeId: string): void {
    this.#nodeId = nodeId;
  }

  /** Streams, and the nodes and epochs from which their frames are accepted. */
  get size(): { readonly streams: number; readonly accepted: number } {
    const entries = [...this.#entries.values()];
    return {
      streams: entries.length,
      accepted: entries.reduce((total, { accepted }) => total + accepted.length, 0),
    };
  }

  has(streamId: string): boolean {
    return this.#entries.has(streamId);
  }

  setRoutes(nowMs: number, routes: readonly StreamRoute[]): void {
    for (const route of routes) this.#setRoute(nowMs, route);
  }

  /** The node from which a stream comes, or null when it is fed here. */
  relayedFrom(streamId: string): string | null {
    const route = this.#entries.get(streamId)?.route;
    return route === undefined || route.ingressNodeId === this.#nodeId ? null : route.ingressNodeId;
  }

  keysOf(streamId: string): StreamKey[] {
    const route = this.#entries.get(streamId)?.route;
    return (route?.encodings ?? []).map(({ encodingId }) => ({ streamId, encodingId }));
  }

  /** Where these streams come from now, for {@link restoreIngress}. */
  ingressOf(streamIds: readonly string[]): StreamIngress[] {
    return streamIds.flatMap((streamId) => {
      const route = this.#entries.get(streamId)?.route;
      return route === undefined
        ? []
        : [{ streamId, nodeId: route.ingressNodeId, ingressEpoch: route.ingressEpoch }];
    });
  }

  /** A transfer came to nothing: the streams come from where they came before. */
  restoreIngress(nowMs: number, former: readonly StreamIngress[]): void {
    for (const { streamId, nodeId, ingressEpoch } of former)
      this.moveIngress(nowMs, [streamId], nodeId, ingressEpoch);
  }

  /** Frames of the coming owner are accepted from now on: it may begin before we hear that it has. */
  expectIngress(streamIds: readonly string[], nodeId: string, ingressEpoch: number): void {
    for (const streamId of streamIds) {
      const entry = this.#entries.get(streamId);
      if (entry === undefined) continue;
      entry.accepted.push({ linkId: nodeId, ingressEpoch, untilMs: Number.POSITIVE_INFINITY });
      this.#apply(entry);
    }
  }

  /** The ingress of these streams is at `nodeId` from now on (us, or the node that took over from us). */
  moveIngress(nowMs: number, streamIds: readonly string[], nodeId: string, ingressEpoch: number): void {
    for (const streamId of streamIds) {
      const route = this.#entries.get(streamId)?.route;
      if (route === undefined) continue;
      this.#replaceRoute(nowMs, {
        ...route,
        ingressNodeId: nodeId,
        ingressEpoch,
        upcomingIngresses: undefined,
      });
    }
  }

  tick(nowMs: number): void {
    for (const [streamId, entry] of this.#entries) {
      if (entry.removeAtMs !== null && nowMs >= entry.removeAtMs) {
        this.#remove(streamId, entry);
        continue;
      }
      const current = entry.accepted.filter(({ untilMs }) => untilMs > nowMs);
      if (current.length === entry.accepted.length) continue;
      entry.accepted = current;
      this.#apply(entry);
    }
  }

  #setRoute(nowMs: number, incoming: StreamRoute): void {
    const existing = this.#entries.get(incoming.streamId);
    if (incoming.encodings.length === 0) {
      // The stream has ended everywhere.
      if (existing !== undefined) existing.removeAtMs ??= nowMs + FORMER_INGRESS_MS;
      return;
    }
    const stale = existing !== undefined && incoming.ingressEpoch < existing.route.ingressEpoch;
    this.#replaceRoute(
      nowMs,
      stale ? { ...existing.route, consumerNodeIds: incoming.consumerNodeIds } : incoming,
    );
  }

  #replaceRoute(nowMs: number, route: StreamRoute): void {
    const existing = this.#entries.get(route.streamId);
    const involved = route.ingressNodeId === this.#nodeId || route.consumerNodeIds.includes(this.#nodeId);
    if (existing === undefined && !involved) return;
    const entry: Entry = existing ?? { route, accepted: [], removeAtMs: null };
    entry.accepted = this.#acceptedAfter(nowMs, entry, route);
    entry.route = route;
    entry.removeAtMs = involved ? null : (entry.removeAtMs ?? nowMs + FORMER_INGRESS_MS);
    this.#entries.set(route.streamId, entry);
    this.#apply(entry);
  }

  /** Owner and upcoming owner without end, everybody else accepted so far for FORMER_INGRESS_MS more. */
  #acceptedAfter(nowMs: number, entry: Entry, route: StreamRoute): AcceptedIngress[] {
    const lasting = new Map<string, AcceptedIngress>();
    const add = (linkId: string, ingressEpoch: number): void => {
      if (linkId === this.#nodeId) return;
      lasting.set(`${linkId}/${ingressEpoch}`, { linkId, ingressEpoch, untilMs: Number.POSITIVE_INFINITY });
    };
    add(route.ingressNodeId, route.ingressEpoch);
    for (const { nodeId, epoch } of route.upcomingIngresses ?? []) add(nodeId, epoch);
    const former = entry.accepted
      .filter(({ linkId, ingressEpoch }) => !lasting.has(`${linkId}/${ingressEpoch}`))
      .map((accepted) => ({ ...accepted, untilMs: Math.min(accepted.untilMs, nowMs + FORMER_INGRESS_MS) }));
    return [...lasting.values(), ...former];
  }

  #apply(entry: Entry): void {
    const { route } = entry;
    const local = route.ingressNodeId === this.#nodeId;
    const relayTo = local
      ? route.consumerNodeIds.filter((nodeId) => nodeId !== this.#nodeId && this.#hasLink(nodeId))
      : [];
    const acceptFrom = entry.accepted.filter(({ linkId }) => this.#hasLink(linkId));
    for (const encoding of route.encodings) {
      const stream = { streamId: route.streamId, encodingId: encoding.encodingId };
      this.#datapath.setStream({
        ...stream,
        kind: encoding.kind,
        clockRate: encoding.clockRate,
        ingressEpoch: route.ingressEpoch,
        relayTo,
        acceptFrom: acceptFrom.map(({ linkId, ingressEpoch }) => ({ linkId, ingressEpoch })),
      });
      this.#router.setStream({
        ...stream,
        kind: encoding.kind,
        relayTo,
        source: local ? { kind: 'local' } : { kind: 'link', linkId: route.ingressNodeId },
      });
    }
  }

  #remove(streamId: string, entry: Entry): void {
    this.#entries.delete(streamId);
    for (const { encodingId } of entry.route.encodings) {
      this.#datapath.removeStream({ streamId, encodingId });
      this.#router.removeStream({ streamId, encodingId });
    }
  }
}
