import type { BoundSocket, Datapath } from '@godwit/datapath';
import type { NodePeer } from '@godwit/protocol';
import { LINKS_MAX, LINK_PING_INTERVAL_MS } from '../limits.js';
import type { NodeIdentity } from './identity.js';
import { LinkClock } from './link-clock.js';

interface Link {
  readonly peer: NodePeer;
  readonly clock: LinkClock;
  heardAtMs: number;
  nextPingMs: number;
}

/**
 * The links to the other nodes. A link lives as long as both processes do: its frame counters may never start again
 * under the same keys, so it is only ever replaced by one with a new boot id, never removed and made anew.
 */
export class Links {
  readonly #datapath: Datapath;
  readonly #identity: NodeIdentity;
  readonly #socket: BoundSocket;
  readonly #links = new Map<string, Link>();

  constructor(datapath: Datapath, identity: NodeIdentity, socket: BoundSocket) {
    this.#datapath = datapath;
    this.#identity = identity;
    this.#socket = socket;
  }

  has(nodeId: string): boolean {
    return this.#links.has(nodeId);
  }

  get size(): number {
    return this.#links.size;
  }

  get nodeIds(): string[] {
    return [...this.#links.keys()];
  }

  /** Adds what is new. Returns the ids of peers whose keys do not verify. */
  setPeers(nowMs: number, peers: readonly NodePeer[]): string[] {
    const refused: string[] = [];
    for (const peer of peers) {
      const existing = this.#links.get(peer.nodeId);
      if (existing?.peer.bootId === peer.bootId) continue;
      if (existing === undefined && this.#links.size >= LINKS_MAX) continue;
      const secrets = this.#identity.linkSecrets(peer);
      if (secrets === null) {
        refused.push(peer.nodeId);
        continue;
      }
      this.#datapath.addLink({
        linkId: peer.nodeId,
        socket: this.#socket.handle,
        remote: peer.linkAddress,
        ...secrets,
      });
      this.#links.set(peer.nodeId, {
        peer,
        clock: new LinkClock(),
        heardAtMs: nowMs,
        nextPingMs: nowMs,
      });
    }
    return refused;
  }

  heard(nodeId: string, nowMs: number): void {
    const link = this.#links.get(nodeId);
    if (link !== undefined) link.heardAtMs = nowMs;
  }

  heardAtMs(nodeId: string): number {
    return this.#links.get(nodeId)?.heardAtMs ?? Number.NEGATIVE_INFINITY;
  }

  roundTripMs(nodeId: string): number | null {
    return this.#links.get(nodeId)?.clock.roundTripMs ?? null;
  }

  receiveClock(nodeId: string, nowMs: number, bytes: Buffer): void {
    const link = this.#links.get(nodeId);
    if (link === undefined) return;
    const answer = link.clock.receive(nowMs * 1_000, bytes);
    if (answer !== null) this.#datapath.sendLinkMessage(nodeId, answer);
    const offset = link.clock.offsetMicros;
    if (offset !== null) this.#datapath.setLinkClock(nodeId, offset);
  }

  tick(nowMs: number): void {
    for (const [nodeId, link] of this.#links) {
      if (nowMs < link.nextPingMs) continue;
      link.nextPingMs = nowMs + LINK_PING_INTERVAL_MS;
      this.#datapath.sendLinkMessage(nodeId, link.clock.ping(nowMs * 1_000));
    }
  }
}
