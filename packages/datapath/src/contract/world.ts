import { randomBytes } from 'node:crypto';
import type { EgressRule, IngressRule } from '@godwit/protocol';
import type { Datapath } from '../port.js';
import type { BoundSocket, Exception, Path, StreamOptions, TransportId } from '../values.js';
import { FakeClient, randomSrtpKeys } from './fake-client.js';
import type { DatapathHarness } from './harness.js';
import { until } from './until.js';

export const STREAM = { streamId: '00000000000000f1', encodingId: 0 } as const;
export const PUBLISHER: TransportId = '00000000000000a1';
export const SUBSCRIBER: TransportId = '00000000000000b1';
/** The publisher's numbers. */
export const MEDIA_SSRC = 0x1111;
export const RTX_SSRC = 0x2222;
export const PAYLOAD_TYPE = 96;
export const RTX_PAYLOAD_TYPE = 97;
/** The subscriber's numbers. */
export const OUT_SSRC = 0xaaaa;
export const OUT_RTX_SSRC = 0xbbbb;
export const OUT_PAYLOAD_TYPE = 106;
export const OUT_RTX_PAYLOAD_TYPE = 107;
/** Without blocks: the least that authenticated feedback can say. */
export const RECEIVER_REPORT = Buffer.from('80c9000100001111', 'hex');

/** One datapath with its sockets, and what it handed up. */
export interface ContractNode {
  readonly name: string;
  readonly datapath: Datapath;
  readonly client: BoundSocket;
  readonly link: BoundSocket;
  readonly exceptions: Exception[];
}

/** Everything that one test opens. */
export class World {
  readonly #harness: DatapathHarness;
  readonly #nodes: ContractNode[] = [];
  readonly #clients: FakeClient[] = [];

  constructor(harness: DatapathHarness) {
    this.#harness = harness;
  }

  async node(name: string): Promise<ContractNode> {
    const exceptions: Exception[] = [];
    const datapath = this.#harness.createDatapath({ onExceptions: (batch) => exceptions.push(...batch) });
    const address = { address: '127.0.0.1', port: 0, family: 'IPv4' } as const;
    const client = await datapath.openSocket({ ...address, purpose: 'client' });
    const link = await datapath.openSocket({ ...address, purpose: 'link' });
    const node = { name, datapath, client, link, exceptions };
    this.#nodes.push(node);
    return node;
  }

  async client(keys = randomSrtpKeys()): Promise<FakeClient> {
    const client = await FakeClient.open(this.#harness, keys);
    this.#clients.push(client);
    return client;
  }

  /** Both directions; the link id is the peer's name. */
  connect(a: ContractNode, b: ContractNode): void {
    const sessionId = randomBytes(8);
    const toB = { key: randomBytes(32), salt: randomBytes(12) };
    const toA = { key: randomBytes(32), salt: randomBytes(12) };
    addLink(a, b, sessionId, toB, toA);
    addLink(b, a, sessionId, toA, toB);
  }

  async close(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.datapath.close()));
    await Promise.all(this.#clients.map((client) => client.close()));
  }
}

interface Secret {
  readonly key: Buffer;
  readonly salt: Buffer;
}

function addLink(
  from: ContractNode,
  to: ContractNode,
  sessionId: Buffer,
  send: Secret,
  receive: Secret,
): void {
  from.datapath.addLink({
    linkId: to.name,
    socket: from.link.handle,
    remote: to.link,
    sessionId,
    sendKey: send.key,
    sendSalt: send.salt,
    receiveKey: receive.key,
    receiveSalt: receive.salt,
  });
  from.datapath.setLinkClock(to.name, 0);
}

export function socketPath(node: ContractNode, client: FakeClient, proven = true): Path {
  return { kind: 'socket', socket: node.client.handle, remote: client.remote, proven };
}

/** A transport that this node owns, as after a handshake. */
export function own(node: ContractNode, transportId: TransportId, client: FakeClient): void {
  const { datapath } = node;
  datapath.addTransport(transportId);
  datapath.bindRemote(transportId, node.client.handle, client.remote);
  datapath.setPaths(transportId, [socketPath(node, client)]);
  datapath.installKeys(transportId, client.keys);
  datapath.setInbound(transportId, { kind: 'own' });
}

/** The target's side of a move before the transfer: the client's path is here, the owner is `owner`. */
export function prepare(
  node: ContractNode,
  transportId: TransportId,
  client: FakeClient,
  owner: ContractNode,
): void {
  const { datapath } = node;
  datapath.addTransport(transportId);
  datapath.addMovePeer(transportId, owner.name);
  if (owner.datapath.hasTransport(transportId)) owner.datapath.addMovePeer(transportId, node.name);
  datapath.bindRemote(transportId, node.client.handle, client.remote);
  datapath.setPaths(transportId, [socketPath(node, client)]);
  datapath.setInbound(transportId, { kind: 'forward', linkId: owner.name });
}

export function setStream(node: ContractNode, options: Partial<StreamOptions> = {}): void {
  node.datapath.setStream({
    ...STREAM,
    kind: 'video',
    clockRate: 90_000,
    ingressEpoch: 1,
    relayTo: [],
    acceptFrom: [],
    ...options,
  });
}

export function publish(node: ContractNode, rule: Partial<IngressRule> = {}, transportId = PUBLISHER): void {
  const ingress: IngressRule = {
    ...STREAM,
    kind: 'video',
    mid: '0',
    ssrc: MEDIA_SSRC,
    rtxSsrc: RTX_SSRC,
    codecs: [{ payloadType: PAYLOAD_TYPE, name: 'vp8', clockRate: 90_000, rtxPayloadType: RTX_PAYLOAD_TYPE }],
    extensions: { mid: 4, transportCc: 5 },
    nack: true,
    keyFrameRequests: true,
    transportCc: true,
    ...rule,
  };
  node.datapath.setMedia(transportId, { generation: 7, ingress: [ingress], egress: [] });
}

export function egressRule(rule: Partial<EgressRule> = {}): EgressRule {
  return {
    ...STREAM,
    kind: 'video',
    mid: '1',
    ssrc: OUT_SSRC,
    rtxSsrc: OUT_RTX_SSRC,
    clockRate: 90_000,
    payloadTypes: [{ from: PAYLOAD_TYPE, to: OUT_PAYLOAD_TYPE, rtx: OUT_RTX_PAYLOAD_TYPE }],
    extensions: [],
    absSendTimeId: 3,
    transportCcId: 2,
    enabled: true,
    ...rule,
  };
}

export function subscribe(
  node: ContractNode,
  rule: Partial<EgressRule> = {},
  transportId = SUBSCRIBER,
): void {
  node.datapath.setMedia(transportId, { generation: 8, ingress: [], egress: [egressRule(rule)] });
}

/** Packet `index` of the publisher: its payload is the index, so that a receiver can tell what it got. */
export function sendMedia(publisher: FakeClient, to: BoundSocket, index: number): void {
  publisher.sendRtp(to, {
    index,
    timestamp: index * 3_000,
    ssrc: MEDIA_SSRC,
    payloadType: PAYLOAD_TYPE,
    payload: payloadOf(index),
  });
}

export function payloadOf(index: number): Buffer {
  const payload = Buffer.alloc(40, index % 251);
  payload.writeUInt32BE(index, 0);
  return payload;
}

/** The publisher's indices that a subscriber got, in order of arrival. */
export function sourceIndices(subscriber: FakeClient, ssrc = OUT_SSRC): number[] {
  return subscriber.of(ssrc).map((packet) => packet.payload.readUInt32BE(0));
}

/** Sends packets and waits for each, so that none overtakes another. */
export async function deliver(
  publisher: FakeClient,
  to: BoundSocket,
  subscriber: FakeClient,
  indices: readonly number[],
): Promise<void> {
  for (const index of indices) {
    sendMedia(publisher, to, index);
    await until(`packet ${index} arrives`, () => sourceIndices(subscriber).includes(index));
  }
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}

/** Publisher and subscriber on one node that owns both. */
export async function room(
  world: World,
): Promise<{ node: ContractNode; publisher: FakeClient; subscriber: FakeClient }> {
  const node = await world.node('a');
  const publisher = await world.client();
  const subscriber = await world.client();
  own(node, PUBLISHER, publisher);
  own(node, SUBSCRIBER, subscriber);
  setStream(node);
  publish(node);
  subscribe(node);
  return { node, publisher, subscriber };
}
