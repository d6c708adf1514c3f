import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StreamRoute, TransportMedia } from '@godwit/protocol';
import { startNode, type NodeProcess } from './node-process.js';
import { parseNodeSettings } from './settings.js';
import {
  INGRESS_SSRC,
  PACKET_INTERVAL_MS,
  publishing,
  PUBLISHER,
  receiving,
  STREAM,
  SUBSCRIBER,
  until,
} from './testing/call.js';
import { FakeBrowser } from './testing/fake-browser.js';
import { FakeControl, type FakeNodeSession } from './testing/fake-control.js';

// Two whole nodes over real UDP, a scripted control plane, and clients with real ICE, DTLS and SRTP.

const published = publishing(true);

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

let control: FakeControl;
let nodes: NodeProcess[];
let browsers: FakeBrowser[];
let publisher: FakeBrowser;
let subscriber: FakeBrowser;
let traffic: NodeJS.Timeout;
let sent: number;

function node(number: 1 | 2): FakeNodeSession {
  const session = control.sessions.findLast(({ nodeId }) => nodeId === `node-${number}`);
  if (session === undefined) throw new Error(`node-${number} is not registered`);
  return session;
}

async function addBrowser(transportId: string, media: TransportMedia): Promise<FakeBrowser> {
  const browser = await FakeBrowser.open();
  browsers.push(browser);
  const made = await node(1).command('createTransport', {
    transportId,
    sessionId: 's',
    epoch: 1,
    remote: { ice: browser.ice, fingerprint: browser.fingerprint, setup: 'actpass' },
    localSsrc: 77,
  });
  await node(1).command('configureTransport', { transportId, epoch: 1, media });
  const [address] = made.addresses;
  if (address === undefined) throw new Error('no address');
  await browser.connect(made.ice, address);
  credentials.set(transportId, made.ice);
  used.set(transportId, [`${address.address}:${address.port}`]);
  return browser;
}

const credentials = new Map<string, { ufrag: string; pwd: string }>();
const used = new Map<string, string[]>();

function route(ingressNode: 1 | 2, epoch: number, consumers: (1 | 2)[]): StreamRoute {
  return {
    streamId: STREAM.streamId,
    ingressNodeId: `node-${ingressNode}`,
    ingressEpoch: epoch,
    encodings: [{ encodingId: 0, kind: 'video', clockRate: 90_000 }],
    consumerNodeIds: consumers.map((number) => `node-${number}`),
  };
}

async function setRoutes(routes: StreamRoute[]): Promise<void> {
  await Promise.all([1, 2].map((number) => node(number as 1 | 2).command('setStreams', { streams: routes })));
}

/** The commands of control for one move, up to the moment when the client is told. */
async function beginMove(
  transportId: string,
  browser: FakeBrowser,
  media: TransportMedia,
  [from, to]: [1 | 2, 1 | 2],
  epoch: number,
  streams: StreamRoute[],
  rehearsal = false,
): Promise<string> {
  const moveId = randomBytes(8).toString('hex');
  const ice = credentials.get(transportId) ?? { ufrag: '', pwd: '' };
  const prepared = await node(to).command('prepareMove', {
    moveId,
    transportId,
    sessionId: 's',
    epoch,
    sourceNodeId: `node-${from}`,
    method: 'candidate',
    ice,
    remoteIce: browser.ice,
    usedAddresses: used.get(transportId) ?? [],
    localSsrc: 77,
    media,
    streams,
  });
  await node(from).command('startMove', {
    moveId,
    transportId,
    epoch,
    returnEpoch: epoch + 1,
    targetNodeId: `node-${to}`,
    sealKey: prepared.sealKey,
    rehearsal,
    stateSchema: 1,
  });
  const [address] = prepared.addresses;
  if (address === undefined) throw new Error('no address');
  used.get(transportId)?.push(`${address.address}:${address.port}`);
  browser.addCandidate(address);
  return moveId;
}

/** A client that only receives proves its path by feedback. */
function feedback(browser: FakeBrowser): void {
  browser.sendRtcp([{ type: 'receiverReport', ssrc: 5, reports: [] }]);
}

function outcomes(number: 1 | 2, moveId: string): string[] {
  return node(number).events.flatMap((event) =>
    event.event === 'moveEnded' && event.moveId === moveId ? [event.outcome] : [],
  );
}

/**
 * Every source packet from the first received on, once each. Two nodes on busy cores may let one overtake another by
 * the round trip of their link; a jitter buffer sorts that, a hole it cannot fill.
 */
function expectUnbroken(browser: FakeBrowser): void {
  const numbers = browser.received.map(({ payload }) => payload.readUInt32BE(0)).toSorted((a, b) => a - b);
  const first = numbers[0] ?? 0;
  expect(numbers).toEqual(numbers.map((_, offset) => first + offset));
  // The numbers that the client sees are the publisher's, shifted by one constant for the transport's whole life.
  const shifts = browser.received.map(
    ({ payload, sequence }) => (sequence - payload.readUInt32BE(0)) & 0xffff,
  );
  expect(new Set(shifts).size).toBe(1);
}

beforeEach(async () => {
  control = await FakeControl.start();
  browsers = [];
  nodes = [];
  for (let number = 1; number <= 2; number++) {
    nodes.push(
      await startNode(
        parseNodeSettings({
          GODWIT_CONTROL_URL: control.url,
          GODWIT_JOIN_KEY: 'a-join-key-of-some-length',
          GODWIT_ANNOUNCED_ADDRESSES: '127.0.0.1',
          GODWIT_LOG_LEVEL: 'silent',
        }),
      ),
    );
    await until('registered', () => control.sessions.length === number);
  }
  await node(1).command('setPeers', { peers: [node(2).peer] });
  await node(2).command('setPeers', { peers: [node(1).peer] });
  publisher = await addBrowser(PUBLISHER, published);
  subscriber = await addBrowser(SUBSCRIBER, receiving);
  await setRoutes([route(1, 1, [1])]);
  sent = 0;
  traffic = setInterval(() => {
    const payload = Buffer.alloc(600);
    payload.writeUInt32BE(sent, 0);
    publisher.sendRtp({
      ssrc: INGRESS_SSRC,
      index: 40_000 + sent,
      payloadType: 96,
      timestamp: sent * 450,
      payload,
    });
    sent += 1;
    if (sent % 10 === 0) feedback(subscriber);
  }, PACKET_INTERVAL_MS);
  await until('media flows', () => subscriber.received.length > 50);
});

afterEach(async () => {
  clearInterval(traffic);
  for (const browser of browsers) browser.close();
  await control.close();
  await Promise.all(nodes.map((process) => process.stop()));
});

// Real sockets, timers and two nodes beside all other tests: what fails twice running is a defect.
describe('two nodes', { retry: 1 }, () => {
  it('hand a subscriber, then its publisher, over without losing a packet; then the first can go', async () => {
    await setRoutes([route(1, 1, [1, 2])]);
    const first = await beginMove(SUBSCRIBER, subscriber, receiving, [1, 2], 2, [route(1, 1, [1, 2])]);
    await until('subscriber moved', () => outcomes(1, first).length > 0);
    expect(outcomes(1, first)).toEqual(['completed']);
    const second = await beginMove(PUBLISHER, publisher, published, [1, 2], 2, [route(1, 1, [1, 2])]);
    await until('publisher moved', () => outcomes(1, second).length > 0);
    expect(outcomes(1, second)).toEqual(['completed']);
    await setRoutes([route(2, 2, [2])]);
    await sleep(300);
    await nodes[0]?.stop();
    const before = subscriber.received.length;
    await until('media still flows', () => subscriber.received.length > before + 100);
    expectUnbroken(subscriber);
  });

  it('hand a transport to and fro', async () => {
    await setRoutes([route(1, 1, [1, 2])]);
    for (let hop = 0; hop < 6; hop++) {
      const [from, to]: [1 | 2, 1 | 2] = hop % 2 === 0 ? [1, 2] : [2, 1];
      const moveId = await beginMove(SUBSCRIBER, subscriber, receiving, [from, to], hop * 2 + 2, [
        route(1, 1, [1, 2]),
      ]);
      await until(`hop ${hop}`, () => outcomes(from, moveId).length > 0);
      expect(outcomes(from, moveId)).toEqual(['completed']);
      await sleep(100);
    }
    await sleep(200);
    expectUnbroken(subscriber);
  });

  it('rehearse everything but the transfer, and the owner stays', async () => {
    await setRoutes([route(1, 1, [1, 2])]);
    const streams = [route(1, 1, [1, 2])];
    const moveId = await beginMove(SUBSCRIBER, subscriber, receiving, [1, 2], 2, streams, true);
    await until('proven', () => node(1).events.some((event) => event.event === 'moveProven'));
    const away = subscriber.selectedPort;
    const { addresses } = await node(1).command('returnPath', {
      moveId,
      transportId: SUBSCRIBER,
      usedAddresses: used.get(SUBSCRIBER) ?? [],
    });
    const [home] = addresses;
    if (home === undefined) throw new Error('no address');
    subscriber.addCandidate(home);
    await until('rehearsed', () => outcomes(1, moveId).length > 0);
    expect(outcomes(1, moveId)).toEqual(['rehearsed']);
    expect(subscriber.selectedPort).toBe(home.port);
    expect(subscriber.selectedPort).not.toBe(away);
    await node(1).command('configureTransport', { transportId: SUBSCRIBER, epoch: 1, media: receiving });
    await sleep(300);
    expectUnbroken(subscriber);
  });

  it('give a move up before the proof without a trace', async () => {
    await setRoutes([route(1, 1, [1, 2])]);
    const silent = await FakeBrowser.open();
    browsers.push(silent);
    // The client is never told: the candidate goes to somebody else.
    const moveId = await beginMove(SUBSCRIBER, silent, receiving, [1, 2], 2, [route(1, 1, [1, 2])]);
    await node(1).command('cancelMove', { moveId, transportId: SUBSCRIBER });
    await node(2).command('cancelMove', { moveId, transportId: SUBSCRIBER });
    expect(outcomes(1, moveId)).toEqual(['cancelled']);
    await sleep(200);
    expectUnbroken(subscriber);
  });

  it('finish a move that is past the proof while control is away', async () => {
    await setRoutes([route(1, 1, [1, 2])]);
    const streams = [route(1, 1, [1, 2])];
    const moveId = await beginMove(SUBSCRIBER, subscriber, receiving, [1, 2], 2, streams);
    node(1).drop();
    node(2).drop();
    await until('reported after control is back', () =>
      control.sessions.some(({ events }) =>
        events.some(
          (event) => event.event === 'moveEnded' && event.moveId === moveId && event.outcome === 'completed',
        ),
      ),
    );
    await sleep(200);
    expectUnbroken(subscriber);
  });

  it('answer a repeated command as before and change nothing', async () => {
    const made = { transportId: '3333333333333333', sessionId: 's', epoch: 1, localSsrc: 78 } as const;
    const { ice, fingerprint } = subscriber;
    const create = { ...made, remote: { ice, fingerprint, setup: 'actpass' as const } };
    const first = await node(1).command('createTransport', create);
    expect(await node(1).command('createTransport', create)).toEqual(first);
    await expect(node(1).command('createTransport', { ...create, epoch: 2 })).rejects.toThrow(/^busy/);
    const prepare = {
      moveId: 'abababababababab',
      transportId: SUBSCRIBER,
      sessionId: 's',
      epoch: 2,
      sourceNodeId: 'node-1',
      method: 'restart' as const,
      ice,
      remoteIce: ice,
      usedAddresses: [],
      localSsrc: 77,
      media: { ...receiving, egress: [] },
      streams: [],
    };
    const prepared = await node(2).command('prepareMove', prepare);
    expect(await node(2).command('prepareMove', prepare)).toEqual(prepared);
    const { moveId, transportId } = prepare;
    const start = {
      moveId,
      transportId,
      epoch: 2,
      returnEpoch: 3,
      targetNodeId: 'node-2',
      sealKey: prepared.sealKey,
      rehearsal: false,
      stateSchema: 1,
    };
    await node(1).command('startMove', start);
    await node(1).command('startMove', start);
    await expect(node(1).command('startMove', { ...start, moveId: 'cdcdcdcdcdcdcdcd' })).rejects.toThrow(
      /^busy/,
    );
    await expect(node(1).command('releaseMove', { moveId, transportId, epoch: 9 })).rejects.toThrow(
      /^unknown-move/,
    );
    for (const number of [1, 1, 2, 2] as const)
      await node(number).command('cancelMove', { moveId, transportId });
    expect(outcomes(1, moveId)).toEqual(['cancelled']);
    await expect(node(2).command('prepareMove', prepare)).rejects.toThrow(/^unknown-move/);
    await sleep(200);
    expectUnbroken(subscriber);
  });

  it('refuse what does not fit their epochs and roles', async () => {
    const media = receiving;
    await expect(
      node(2).command('configureTransport', { transportId: SUBSCRIBER, epoch: 1, media }),
    ).rejects.toThrow(/^unknown-transport/);
    await expect(
      node(1).command('configureTransport', { transportId: SUBSCRIBER, epoch: 9, media }),
    ).rejects.toThrow(/^moved/);
    await expect(
      node(1).command('startMove', {
        moveId: 'ffffffffffffffff',
        transportId: SUBSCRIBER,
        epoch: 2,
        returnEpoch: 3,
        targetNodeId: 'node-9',
        sealKey: Buffer.alloc(32).toString('base64'),
        rehearsal: false,
        stateSchema: 1,
      }),
    ).rejects.toThrow(/^unknown-node/);
  });
});
