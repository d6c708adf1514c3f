import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import { performance } from 'node:perf_hooks';
import { pino } from 'pino';
import type { BoundSocket, Datapath } from '@godwit/datapath';
import { createDatapath } from '@godwit/datapath-js';
import type {
  EgressRule,
  IceCredentials,
  IngressRule,
  NodeCommand,
  NodeCommandType,
  NodeEvent,
  NodePeer,
  NodeResult,
  PoolAddress,
  StreamRoute,
  TransportMedia,
} from '@godwit/protocol';
import { createNodeCertificate } from '@godwit/transport';
import { handshakesWith } from '../commands/handshakes.js';
import { TICK_INTERVAL_MS } from '../limits.js';
import { NodeIdentity } from '../link/identity.js';
import { NodeCore } from '../node-core.js';
import { AddressPool } from '../transport/address-pool.js';
import { FakeBrowser } from './fake-browser.js';

export const PUBLISHER = '1111111111111111';
export const SUBSCRIBER = '2222222222222222';
export const STREAM = { streamId: '00000000000000aa', encodingId: 0 };
export const INGRESS_SSRC = 1_000;
const EGRESS_SSRC = 2_000;
export const PACKET_INTERVAL_MS = 5;
const UNTIL_MS = 10_000;

const egress: EgressRule = {
  ...STREAM,
  kind: 'video',
  mid: '0',
  ssrc: EGRESS_SSRC,
  clockRate: 90_000,
  payloadTypes: [{ from: 96, to: 97 }],
  extensions: [],
  enabled: true,
};
/** The publisher's media. With `isAsked` the node asks it for lost packets and key frames. */
export function publishing(isAsked: boolean): TransportMedia {
  const ingress: IngressRule = {
    ...STREAM,
    kind: 'video',
    mid: '0',
    ssrc: INGRESS_SSRC,
    codecs: [{ payloadType: 96, name: 'vp8', clockRate: 90_000 }],
    extensions: {},
    nack: isAsked,
    keyFrameRequests: isAsked,
    transportCc: false,
  };
  return { generation: 1, ingress: [ingress], egress: [] };
}
/** The subscriber's. */
export const receiving: TransportMedia = { generation: 1, ingress: [], egress: [egress] };

type Fields<T extends NodeCommandType> = Omit<Extract<NodeCommand, { type: T }>, 'id' | 'type'>;

export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + UNTIL_MS;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** One node on real sockets without a process; the test gives the commands. Its log is kept, at the finest level. */
export class TestNode {
  readonly nodeId: string;
  readonly core: NodeCore;
  readonly datapath: Datapath;
  readonly pool: AddressPool;
  readonly events: NodeEvent[] = [];
  readonly log: string[];
  readonly #identity: NodeIdentity;
  readonly #linkSocket: BoundSocket;
  readonly #timer: NodeJS.Timeout;
  /** Control is heard all along, unless a test says otherwise. */
  controlHeardAtMs: number | null = null;

  private constructor(
    nodeId: string,
    parts: Pick<TestNode, 'core' | 'datapath' | 'pool' | 'log'>,
    identity: NodeIdentity,
    linkSocket: BoundSocket,
  ) {
    this.nodeId = nodeId;
    this.core = parts.core;
    this.datapath = parts.datapath;
    this.pool = parts.pool;
    this.log = parts.log;
    this.#identity = identity;
    this.#linkSocket = linkSocket;
    this.core.registered(nodeId);
    this.#timer = setInterval(() => {
      this.core.tick(performance.now());
    }, TICK_INTERVAL_MS);
  }

  static async open(nodeId: string): Promise<TestNode> {
    const log: string[] = [];
    const holder: { node?: TestNode } = {};
    const datapath = createDatapath({
      clockMicros: () => performance.now() * 1_000,
      onExceptions: (batch) => holder.node?.core.dispatch(batch),
    });
    const pool = await AddressPool.open(datapath, { announcedAddresses: ['127.0.0.1'], rtcPorts: null });
    const loopback = { address: '127.0.0.1', port: 0, family: 'IPv4' } as const;
    const linkSocket = await datapath.openSocket({ ...loopback, purpose: 'link' });
    const identity = new NodeIdentity();
    const core = new NodeCore({
      datapath,
      pool,
      linkSocket,
      identity,
      handshakes: handshakesWith(await createNodeCertificate()),
      control: {
        nodeId,
        get heardAtMs() {
          return holder.node?.controlHeardAtMs ?? performance.now();
        },
        send: (event) => holder.node?.events.push(event),
      },
      log: pino(
        { level: 'trace' },
        new Writable({
          write(chunk: Buffer, _encoding, done) {
            log.push(chunk.toString());
            done();
          },
        }),
      ),
      clockMs: () => performance.now(),
      isStopping: () => false,
    });
    holder.node = new TestNode(nodeId, { core, datapath, pool, log }, identity, linkSocket);
    return holder.node;
  }

  get peer(): NodePeer {
    const { bootId, identityKey, linkKey, linkKeySignature } = this.#identity;
    return {
      nodeId: this.nodeId,
      bootId,
      identityKey: identityKey.toString('base64'),
      linkKey: linkKey.toString('base64'),
      linkKeySignature: linkKeySignature.toString('base64'),
      linkAddress: this.#linkSocket,
    };
  }

  command<T extends NodeCommandType>(type: T, fields: Fields<T>): Promise<NodeResult<T>> {
    return this.core.handle({ id: 1, type, ...fields } as unknown as NodeCommand) as Promise<NodeResult<T>>;
  }

  counter(name: string): number {
    return this.datapath.counters()[name] ?? 0;
  }

  outcomes(moveId: string): string[] {
    return this.events.flatMap((event) =>
      event.event === 'moveEnded' && event.moveId === moveId ? [event.outcome] : [],
    );
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.datapath.close();
  }
}

export interface MoveOfTest {
  readonly moveId: string;
  readonly epoch: number;
  /** The target's address, of which the client has not been told yet. */
  readonly address: PoolAddress;
}

interface Client {
  readonly browser: FakeBrowser;
  readonly ice: IceCredentials;
  readonly media: TransportMedia;
  readonly used: string[];
}

/** One publisher and one subscriber, both at the first of some nodes, with media that flows until `close`. */
export class Call {
  readonly nodes: readonly TestNode[];
  /** Packets that the publisher has sent. */
  sent = 0;
  readonly #clients = new Map<string, Client>();
  #traffic: NodeJS.Timeout | null = null;

  private constructor(nodes: readonly TestNode[]) {
    this.nodes = nodes;
  }

  static async open(nodeCount: number): Promise<Call> {
    const nodes: TestNode[] = [];
    for (let at = 1; at <= nodeCount; at += 1) nodes.push(await TestNode.open(`node-${at}`));
    const peers = nodes.map(({ peer }) => peer);
    for (const node of nodes) await node.command('setPeers', { peers });
    const call = new Call(nodes);
    await call.#addClient(PUBLISHER, publishing(false));
    await call.#addClient(SUBSCRIBER, receiving);
    await call.setRoutes([call.route(0, 1)]);
    call.startTraffic();
    await until('media flows', () => call.subscriber.received.length > 20);
    return call;
  }

  get publisher(): FakeBrowser {
    return this.#client(PUBLISHER).browser;
  }
  get subscriber(): FakeBrowser {
    return this.#client(SUBSCRIBER).browser;
  }

  node(at: number): TestNode {
    const node = this.nodes[at];
    if (node === undefined) throw new Error(`there is no node ${at}`);
    return node;
  }

  /** The stream goes from this node to all. */
  route(ingressAt: number, ingressEpoch: number): StreamRoute {
    return {
      streamId: STREAM.streamId,
      ingressNodeId: this.node(ingressAt).nodeId,
      ingressEpoch,
      encodings: [{ encodingId: 0, kind: 'video', clockRate: 90_000 }],
      consumerNodeIds: this.nodes.map(({ nodeId }) => nodeId),
    };
  }

  async setRoutes(streams: StreamRoute[]): Promise<void> {
    for (const node of this.nodes) await node.command('setStreams', { streams });
  }

  /** Control's commands of one move, up to the moment when the client would be told. */
  async prepare(transportId: string, [from, to]: [number, number], epoch: number): Promise<MoveOfTest> {
    const client = this.#client(transportId);
    const moveId = randomBytes(8).toString('hex');
    const prepared = await this.node(to).command('prepareMove', {
      moveId,
      transportId,
      sessionId: 's',
      epoch,
      sourceNodeId: this.node(from).nodeId,
      method: 'candidate',
      ice: client.ice,
      remoteIce: client.browser.ice,
      usedAddresses: client.used,
      localSsrc: 77,
      media: client.media,
      streams: [this.route(0, 1)],
    });
    await this.node(from).command('startMove', {
      moveId,
      transportId,
      epoch,
      returnEpoch: epoch + 1,
      targetNodeId: this.node(to).nodeId,
      sealKey: prepared.sealKey,
      rehearsal: false,
      stateSchema: 1,
    });
    const [address] = prepared.addresses;
    if (address === undefined) throw new Error('no address');
    client.used.push(`${address.address}:${address.port}`);
    return { moveId, epoch, address };
  }

  /** The client of a prepared move goes to the target. Resolves with the source's word of the outcome. */
  async follow(transportId: string, from: number, { moveId, address }: MoveOfTest): Promise<string> {
    this.#client(transportId).browser.addCandidate(address);
    await until('the move ends', () => this.node(from).outcomes(moveId).length > 0);
    return this.node(from).outcomes(moveId)[0] ?? '';
  }

  startTraffic(): void {
    this.#traffic ??= setInterval(() => {
      const payload = Buffer.alloc(600);
      payload.writeUInt32BE(this.sent, 0);
      const [index, timestamp] = [40_000 + this.sent, this.sent * 450];
      this.publisher.sendRtp({ ssrc: INGRESS_SSRC, index, payloadType: 96, timestamp, payload });
      this.sent += 1;
      if (this.sent % 10 === 0) this.#feedback();
    }, PACKET_INTERVAL_MS);
  }

  /** Ends the traffic. Resolves with the numbers of the packets that the subscriber should have and has not. */
  async missing(): Promise<number[]> {
    if (this.#traffic !== null) clearInterval(this.#traffic);
    this.#traffic = null;
    const last = this.sent - 1;
    const got = (): Set<number> =>
      new Set(this.subscriber.received.map(({ payload }) => payload.readUInt32BE(0)));
    await until('the last packet comes', () => got().has(last)).catch(() => undefined);
    const numbers = got();
    const first = Math.min(...numbers);
    return Array.from({ length: last - first + 1 }, (_, at) => first + at).filter((n) => !numbers.has(n));
  }

  /** Resolves when so many more packets have left. */
  async pass(packets: number): Promise<void> {
    const target = this.sent + packets;
    await until(`${packets} packets leave`, () => this.sent >= target);
  }

  async close(): Promise<void> {
    if (this.#traffic !== null) clearInterval(this.#traffic);
    for (const { browser } of this.#clients.values()) browser.close();
    await Promise.all(this.nodes.map((node) => node.close()));
  }

  /** A client that only receives proves its path by feedback. */
  #feedback(): void {
    this.subscriber.sendRtcp([{ type: 'receiverReport', ssrc: 5, reports: [] }]);
  }

  async #addClient(transportId: string, media: TransportMedia): Promise<void> {
    const browser = await FakeBrowser.open();
    const made = await this.node(0).command('createTransport', {
      transportId,
      sessionId: 's',
      epoch: 1,
      remote: { ice: browser.ice, fingerprint: browser.fingerprint, setup: 'actpass' },
      localSsrc: 77,
    });
    await this.node(0).command('configureTransport', { transportId, epoch: 1, media });
    const [address] = made.addresses;
    if (address === undefined) throw new Error('no address');
    const used = [`${address.address}:${address.port}`];
    this.#clients.set(transportId, { browser, ice: made.ice, media, used });
    await browser.connect(made.ice, address);
  }

  #client(transportId: string): Client {
    const client = this.#clients.get(transportId);
    if (client === undefined) throw new Error(`there is no client ${transportId}`);
    return client;
  }
}
