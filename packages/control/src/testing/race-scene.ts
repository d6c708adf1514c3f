import { expect } from 'vitest';
import type { StreamRoute } from '@godwit/protocol';
import { CallClient } from './call-client.js';
import type { FakeClient } from './fake-client.js';
import type { FakeNode } from './fake-node.js';
import type { Harness } from './harness.js';
import { ModelNode } from './model-node.js';

type Joined = Awaited<ReturnType<Harness['join']>>;
export type PathMethod = 'candidate' | 'restart';

/** One person: the client, and who it is in the session. */
export interface Person {
  readonly call: CallClient;
  readonly client: FakeClient;
  readonly joined: Joined['joined'];
  readonly connectionId: string;
}

/**
 * Two people in a call on node a. `subject` publishes `subjectStream` and receives the first stream of `other`; `other`
 * publishes two and receives `subjectStream`.
 */
export interface RaceScene {
  readonly harness: Harness;
  readonly sessionId: string;
  readonly a: ModelNode;
  readonly b: ModelNode;
  readonly subject: Person;
  readonly other: Person;
  readonly subjectStream: string;
  readonly otherStreams: readonly [string, string];
  readonly transportId: string;
}

export async function openRaceScene(
  harness: Harness,
  nodes: readonly [FakeNode, FakeNode],
  pathMethod: PathMethod = 'candidate',
): Promise<RaceScene> {
  const [a, b] = ModelNode.pair(...nodes);
  const sessionId = await harness.session();
  await harness.storage.sessions.setHomeNode(sessionId, a.node.nodeId);
  const subject = await enter(harness, sessionId, pathMethod);
  const subjectStream = await subject.call.publish();
  const transportId = a.node.received('createTransport').at(-1)?.transportId ?? '';
  const other = await enter(harness, sessionId, 'candidate', 5_000);
  const otherStreams = [await other.call.publish(), await other.call.publish()] as const;
  await subject.client.event('streamCreated', ({ stream }) => stream.streamId === otherStreams[1]);
  await subject.call.subscribe(otherStreams[0]);
  await other.call.subscribe(subjectStream);
  return { harness, sessionId, a, b, subject, other, subjectStream, otherStreams, transportId };
}

export async function enter(
  harness: Harness,
  sessionId: string,
  pathMethod: PathMethod = 'candidate',
  firstSsrc = 1_000,
): Promise<Person> {
  const client = await harness.join(sessionId, { pathMethod });
  const call = new CallClient(client, firstSsrc);
  return {
    call,
    get client() {
      return call.client;
    },
    joined: client.joined,
    connectionId: client.joined.connection.connectionId,
  };
}

/** What everybody asked before this has begun: requests of one socket are begun in their order. */
export async function requestsBegun(...people: readonly Person[]): Promise<void> {
  await Promise.all(people.map(({ client }) => client.request('ping').catch(() => undefined)));
}

interface Rows {
  readonly transports: readonly {
    transportId: string;
    connectionId: string;
    ownerNodeId: string;
    epoch: number;
    intent: unknown;
  }[];
  readonly streams: readonly { streamId: string; connectionId: string }[];
}

async function rowsOf({ harness, sessionId }: RaceScene): Promise<Rows> {
  const { storage } = harness;
  const transports = (await storage.transports.listLive()).filter((row) => row.sessionId === sessionId);
  const streams = (await storage.streams.listLive()).filter((row) => row.sessionId === sessionId);
  return { transports, streams };
}

/**
 * Everything agrees: each person who is still there has one transport, which one node owns in the epoch of the row and
 * with the media that the person negotiated; nothing is prepared or owned besides; routes lead from owner to owners.
 */
export async function expectAgreement(scene: RaceScene, people: readonly Person[]): Promise<void> {
  // What follows from a request (routes, rules) may still be on its way.
  await expect.poll(async () => disagreements(scene, people), { timeout: 1_500, interval: 10 }).toEqual([]);
}

async function disagreements(scene: RaceScene, people: readonly Person[]): Promise<string[]> {
  const rows = await rowsOf(scene);
  return [
    ...ownership(scene, rows, people),
    ...people.flatMap((person) => media(scene, rows, person)),
    ...routes(scene, rows, people),
  ];
}

function ownership({ a, b }: RaceScene, rows: Rows, people: readonly Person[]): string[] {
  const wrong: string[] = [];
  const known = new Set(rows.transports.map(({ transportId }) => transportId));
  for (const { connectionId } of people) {
    const count = rows.transports.filter((row) => row.connectionId === connectionId).length;
    if (count !== 1) wrong.push(`${connectionId} has ${count} transports`);
  }
  for (const row of rows.transports) {
    if (!people.some(({ connectionId }) => connectionId === row.connectionId))
      wrong.push(`the transport ${row.transportId} of somebody who left lives`);
    if (row.intent !== null) wrong.push(`${row.transportId} still has an intent`);
    for (const { node, owned } of [a, b]) {
      const epoch = owned.get(row.transportId)?.epoch;
      const expected = node.nodeId === row.ownerNodeId ? row.epoch : undefined;
      if (epoch !== expected)
        wrong.push(`${node.nodeId} owns ${row.transportId} in ${epoch}, not ${expected}`);
    }
  }
  for (const { node, owned, prepared } of [a, b]) {
    for (const transportId of owned.keys())
      if (!known.has(transportId)) wrong.push(`${node.nodeId} owns ${transportId}, which has ended`);
    for (const transportId of prepared.keys()) wrong.push(`${node.nodeId} still prepares ${transportId}`);
  }
  return wrong;
}

function media({ a, b }: RaceScene, rows: Rows, { call, connectionId }: Person): string[] {
  const row = rows.transports.find((each) => each.connectionId === connectionId);
  if (row === undefined) return [];
  const owner = a.node.nodeId === row.ownerNodeId ? a : b;
  const told = owner.owned.get(row.transportId)?.media;
  const live = new Set(rows.streams.map(({ streamId }) => streamId));
  const expected = (role: 'sender' | 'receiver'): string[] =>
    call.sections
      .filter((each) => each.role === role && each.streamId !== null && live.has(each.streamId))
      .map(({ mid, kind, streamId }) => `${role} ${streamId} ${kind} ${mid}`)
      .toSorted();
  const found = [
    ...(told?.ingress ?? []).map(({ streamId, kind, mid }) => `sender ${streamId} ${kind} ${mid}`),
    ...(told?.egress ?? []).map(({ streamId, kind, mid }) => `receiver ${streamId} ${kind} ${mid}`),
  ].toSorted();
  const wanted = [...expected('sender'), ...expected('receiver')].toSorted();
  return JSON.stringify(found) === JSON.stringify(wanted)
    ? []
    : [`${connectionId} at ${owner.node.nodeId}: [${found.join()}] instead of [${wanted.join()}]`];
}

function routes({ a, b }: RaceScene, rows: Rows, people: readonly Person[]): string[] {
  const ownerOf = (connectionId: string): Rows['transports'][number] | undefined =>
    rows.transports.find((row) => row.connectionId === connectionId);
  const expected = rows.streams.flatMap(({ streamId, connectionId }) => {
    const ingress = ownerOf(connectionId);
    if (ingress === undefined) return [];
    const consumers = people.flatMap((person) => {
      const owner = ownerOf(person.connectionId);
      return owner !== undefined && person.call.subscribed.includes(streamId) ? [owner.ownerNodeId] : [];
    });
    return [{ streamId, ingress, consumers: [...new Set(consumers)].toSorted() }];
  });
  return [a, b].flatMap(({ node, routes: table }) => {
    const mine = expected.filter(
      ({ ingress, consumers }) => ingress.ownerNodeId === node.nodeId || consumers.includes(node.nodeId),
    );
    const text = (streamId: string, ingressNodeId: string, epoch: number, to: readonly string[]): string =>
      `${streamId} from ${ingressNodeId} ${epoch} to ${to.join('+')}`;
    const wanted = mine.map(({ streamId, ingress, consumers }) =>
      text(streamId, ingress.ownerNodeId, ingress.epoch, consumers),
    );
    const found = [...table.values()].map((route: StreamRoute) =>
      text(route.streamId, route.ingressNodeId, route.ingressEpoch, route.consumerNodeIds),
    );
    const same = JSON.stringify(found.toSorted()) === JSON.stringify(wanted.toSorted());
    return same ? [] : [`routes of ${node.nodeId}: [${found.join()}] instead of [${wanted.join()}]`];
  });
}
