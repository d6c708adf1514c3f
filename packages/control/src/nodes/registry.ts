import type { Logger } from 'pino';
import {
  NODE_HEARTBEAT_INTERVAL_MS,
  type ControlReplica,
  type NodeEvent,
  type NodePeer,
  type NodeRegistration,
  type PoolAddress,
} from '@godwit/protocol';
import type { NodeRecord, RosterStorage } from '@godwit/storage';
import {
  CONTROL_STALL_MS,
  NODES_MAX,
  NODE_DEAD_MS,
  NODE_MISSING_AFTER_MS,
  NODE_FORGET_MS,
  NODE_HEARTBEATS_MISSED_MAX,
  NODE_REPORT_GRACE_MS,
} from '../limits.js';
import { NodeSession } from './node-session.js';
import type { PlacementNode } from './placement.js';

export type NodeState = 'in-service' | 'stopping' | 'unreachable';

/** When a node is to end, and why. */
export interface NodeEnd {
  readonly endsAtMs: number;
  readonly reason: string;
}

/** What control knows of one node. */
export interface NodeView extends PlacementNode {
  readonly state: NodeState;
  readonly identityKey: string;
  readonly plannedEnd: NodeEnd | null;
  readonly version: string;
  readonly pid: number | null;
  readonly opsUrl: string | null;
  readonly addresses: readonly PoolAddress[];
}

interface Entry {
  readonly nodeId: string;
  readonly identityKey: string;
  registration: NodeRegistration | null;
  session: NodeSession | null;
  disconnect: () => void;
  stopping: boolean;
  load: number;
  transports: number;
  heardAtMs: number;
}

export interface RegistryListener {
  onNodeRegistered(nodeId: string, registration: NodeRegistration): void;
  onNodeEvent(nodeId: string, event: NodeEvent): void;
  onNodeLost(nodeId: string): void;
}

export interface RegistryOptions {
  readonly storage: RosterStorage;
  readonly log: Logger;
  readonly clockMs: () => number;
  readonly commandTimeoutMs?: number;
  /** Default: NODE_DEAD_MS. */
  readonly deadMs?: number;
  readonly missingAfterMs?: number;
  readonly reportGraceMs?: number;
  /** This control, and all of them. */
  readonly controls: () => { readonly replicaId: string; readonly replicas: readonly ControlReplica[] };
}

/** The media nodes: who they are, whether they live, and how to command them. */
export class NodeRegistry {
  readonly #options: RegistryOptions;
  readonly #entries = new Map<string, Entry>();
  #ends: ReadonlyMap<string, NodeEnd> = new Map();
  #listener: RegistryListener | null = null;
  #tickedAtMs = Number.POSITIVE_INFINITY;

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  /** Set once, by the control that owns both. */
  setListener(listener: RegistryListener): void {
    this.#listener = listener;
  }

  /** Nodes that others know: unreachable until they report here. */
  load(records: readonly NodeRecord[]): void {
    for (const record of records) {
      if (!this.#entries.has(record.nodeId))
        this.#entries.set(record.nodeId, newEntry(record, this.#options.clockMs()));
    }
  }

  isKnown(nodeId: string): boolean {
    return this.#entries.has(nodeId);
  }

  /** Those whose sockets are here. */
  connected(): string[] {
    return [...this.#entries.values()].filter(({ session }) => session !== null).map(({ nodeId }) => nodeId);
  }

  /** Tells every node which controls there are. */
  tellReplicas(): void {
    const { replicas } = this.#options.controls();
    for (const { session, nodeId } of this.#entries.values()) {
      session?.command('setReplicas', { replicas: [...replicas] }).catch((error: unknown) => {
        this.#options.log.warn({ nodeId, error: String(error) }, 'node did not take the list of controls');
      });
    }
  }

  forget(nodeId: string): void {
    this.#entries.delete(nodeId);
  }

  /** Planned ends by node id, as they stand in the rows now. */
  setEnds(ends: ReadonlyMap<string, NodeEnd>): void {
    this.#ends = ends;
  }

  list(): NodeView[] {
    const views = [...this.#entries.values()].map((entry) => this.#view(entry));
    return views.toSorted((a, b) => a.nodeId.localeCompare(b.nodeId));
  }

  get(nodeId: string): NodeView | null {
    const entry = this.#entries.get(nodeId);
    return entry === undefined ? null : this.#view(entry);
  }

  /** Null while the node's socket is away. */
  session(nodeId: string): NodeSession | null {
    return this.#entries.get(nodeId)?.session ?? null;
  }

  /**
   * Takes a registration that has proven itself. `send` and `disconnect` belong to its socket.
   * A second socket of the same identity replaces the first. Null: there are too many nodes.
   */
  async register(
    registration: NodeRegistration,
    socket: { readonly send: (text: string) => void; readonly disconnect: () => void },
  ): Promise<NodeSession | null> {
    const nowMs = this.#options.clockMs();
    const { bootId, version, identityKey } = registration;
    // Before anything is awaited: a node that is about to come is not one that has long been gone.
    const known = [...this.#entries.values()].find((each) => each.identityKey === identityKey);
    if (known !== undefined) known.heardAtMs = nowMs;
    const process = { identityKey, bootId, version, registeredAtMs: nowMs, lastSeenAtMs: nowMs };
    const nodeId = await this.#options.storage.nodes.register(process, wishedIds(registration));
    if (nodeId === null) return null;
    const entry = this.#entries.get(nodeId) ?? newEntry({ nodeId, identityKey }, nowMs);
    this.#entries.set(nodeId, entry);
    // From here on without a pause: a command must not overtake the welcome.
    if (entry.session !== null) {
      const replaced = entry.disconnect;
      this.#drop(entry);
      replaced();
    }
    entry.session = new NodeSession({
      nodeId,
      send: socket.send,
      onEvent: (event) => this.#onEvent(entry, event),
      ...(this.#options.commandTimeoutMs === undefined
        ? {}
        : { commandTimeoutMs: this.#options.commandTimeoutMs }),
    });
    entry.registration = registration;
    entry.disconnect = socket.disconnect;
    entry.stopping = false;
    entry.heardAtMs = this.#options.clockMs();
    entry.transports = registration.transports.length;
    this.#options.log.info(
      { nodeId, version, transports: registration.transports.length },
      'node registered',
    );
    socket.send(JSON.stringify({ type: 'welcome', nodeId, ...this.#options.controls() }));
    this.#distributePeers();
    this.#listener?.onNodeRegistered(nodeId, registration);
    return entry.session;
  }

  /** The node's socket closed. Ignored when another socket has replaced it. */
  socketClosed(session: NodeSession): void {
    const entry = this.#entries.get(session.nodeId);
    if (entry?.session !== session) return;
    this.#drop(entry);
    this.#options.log.warn({ nodeId: entry.nodeId }, 'node unreachable; its calls go on');
    this.#listener?.onNodeLost(entry.nodeId);
  }

  /** Unknown, or away for NODE_DEAD_MS: its word is not waited for any more. It may live on behind a partition. */
  isDead(nodeId: string): boolean {
    return this.#isAway(nodeId, () => this.#options.deadMs ?? NODE_DEAD_MS);
  }

  /** Nodes that have been away long enough to be forgotten, if they own nothing. */
  longGone(nowMs: number): string[] {
    return [...this.#entries.values()]
      .filter((entry) => entry.session === null && nowMs - entry.heardAtMs > NODE_FORGET_MS)
      .map((entry) => entry.nodeId);
  }

  /**
   * True for a node that has no socket and has said nothing for NODE_MISSING_AFTER_MS; for one of an earlier control's,
   * NODE_REPORT_GRACE_MS. It may still live, cut off from control: whoever acts on this needs the client's word, too.
   */
  isMissing(nodeId: string): boolean {
    const { missingAfterMs = NODE_MISSING_AFTER_MS, reportGraceMs = NODE_REPORT_GRACE_MS } = this.#options;
    return this.#isAway(nodeId, ({ registration }) =>
      registration === null ? reportGraceMs : missingAfterMs,
    );
  }

  /**
   * Lets go of nodes that have stopped beating. A control that stood still itself, or whose clock was set, has heard
   * nobody meanwhile: that time does not count.
   */
  tick(nowMs: number): void {
    const passedMs = nowMs - this.#tickedAtMs;
    this.#tickedAtMs = nowMs;
    if (passedMs > CONTROL_STALL_MS) {
      for (const entry of this.#entries.values()) if (entry.session !== null) entry.heardAtMs = nowMs;
    }
    const limitMs = NODE_HEARTBEAT_INTERVAL_MS * NODE_HEARTBEATS_MISSED_MAX;
    for (const entry of this.#entries.values()) {
      if (entry.session !== null && nowMs - entry.heardAtMs > limitMs) entry.disconnect();
    }
  }

  close(): void {
    for (const entry of this.#entries.values()) {
      entry.session?.close();
      entry.session = null;
    }
  }

  #onEvent(entry: Entry, event: NodeEvent): void {
    entry.heardAtMs = this.#options.clockMs();
    if (event.event === 'heartbeat') {
      entry.load = event.load;
      entry.transports = event.transports;
    }
    const stops = event.event === 'stopping' || (event.event === 'heartbeat' && event.stopping);
    if (stops && !entry.stopping) {
      entry.stopping = true;
      this.#options.log.info({ nodeId: entry.nodeId }, 'node is stopping: moving its transports away');
      this.#listener?.onNodeEvent(entry.nodeId, { event: 'stopping' });
    }
    if (event.event !== 'heartbeat' && event.event !== 'stopping')
      this.#listener?.onNodeEvent(entry.nodeId, event);
  }

  /** Unknown, or without a socket and unheard for as long as `boundMsOf` says. */
  #isAway(nodeId: string, boundMsOf: (entry: Entry) => number): boolean {
    const entry = this.#entries.get(nodeId);
    if (entry === undefined) return true;
    return entry.session === null && this.#options.clockMs() - entry.heardAtMs >= boundMsOf(entry);
  }

  #view(entry: Entry): NodeView {
    return viewOf(entry, this.#ends.get(entry.nodeId) ?? null, this.#options.clockMs());
  }

  #drop(entry: Entry): void {
    entry.session?.close();
    entry.session = null;
    entry.disconnect = () => undefined;
  }

  #distributePeers(): void {
    const connected = [...this.#entries.values()].filter((entry) => entry.session !== null);
    for (const entry of connected) {
      const peers = connected.filter((other) => other !== entry).flatMap(peerOf);
      entry.session?.command('setPeers', { peers }).catch((error: unknown) => {
        this.#options.log.warn({ nodeId: entry.nodeId, error: String(error) }, 'node did not take its peers');
      });
    }
  }
}

/** The id that it asks for, else letters: one that owned nothing for long may find its id given to a newcomer. */
function wishedIds({ nodeId }: NodeRegistration): string[] {
  const letters = Array.from(
    { length: NODES_MAX },
    (_, index) => `node-${index < 26 ? String.fromCharCode(97 + index) : index + 1}`,
  );
  return nodeId === undefined ? letters : [nodeId, ...letters];
}

function newEntry({ nodeId, identityKey }: Pick<Entry, 'nodeId' | 'identityKey'>, heardAtMs: number): Entry {
  return {
    nodeId,
    identityKey,
    registration: null,
    session: null,
    disconnect: () => undefined,
    stopping: false,
    load: 0,
    transports: 0,
    heardAtMs,
  };
}

function peerOf(entry: Entry): NodePeer[] {
  if (entry.registration === null) return [];
  const { identityKey, linkKey, linkKeySignature, bootId, linkAddress } = entry.registration;
  return [{ nodeId: entry.nodeId, identityKey, linkKey, linkKeySignature, bootId, linkAddress }];
}

function viewOf(entry: Entry, plannedEnd: NodeEnd | null, nowMs: number): NodeView {
  const state: NodeState =
    entry.session === null ? 'unreachable' : entry.stopping ? 'stopping' : 'in-service';
  return {
    nodeId: entry.nodeId,
    identityKey: entry.identityKey,
    state,
    plannedEnd,
    remainingMs: plannedEnd === null ? null : plannedEnd.endsAtMs - nowMs,
    inService: state === 'in-service',
    transports: entry.transports,
    load: entry.load,
    version: entry.registration?.version ?? '',
    pid: entry.registration?.pid ?? null,
    opsUrl: entry.registration?.opsUrl ?? null,
    addresses: entry.registration?.addresses ?? [],
    stateSchemas: entry.registration?.stateSchemas ?? [],
  };
}
