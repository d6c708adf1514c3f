import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BoundSocket, Datapath, Exception } from '@godwit/datapath';
import { createDatapath } from '@godwit/datapath-js';
import type { IceCredentials, NodeEvent } from '@godwit/protocol';
import { buildBindingRequest } from '@godwit/rtp';
import { PEER_MESSAGE_CLASS, Router } from '@godwit/sfu';
import { createNodeCertificate } from '@godwit/transport';
import { CommandHandlers } from './commands/command-handlers.js';
import { handshakesWith } from './commands/handshakes.js';
import { ExceptionDispatcher } from './exception-dispatcher.js';
import {
  encodeHandoverMessage,
  HANDOVER_MESSAGE_CLASS,
  type HandoverMessage,
  type PlainMessageKind,
} from './handover/messages.js';
import { MoveTable } from './handover/move-table.js';
import { ANSWERS_DELAYED_MAX, FORMER_ADDRESS_DRAIN_MS, GUARD_LOG_INTERVAL_MS } from './limits.js';
import { NodeIdentity } from './link/identity.js';
import { CLOCK_MESSAGE_CLASS } from './link/link-clock.js';
import { Links } from './link/links.js';
import type { NodeContext } from './node-context.js';
import { StreamTable } from './stream/stream-table.js';
import { AddressPool } from './transport/address-pool.js';
import { TransportTable } from './transport/transport-table.js';

// What comes from the network is given to the dispatcher as the datapath would give it.

const OWNED = '1111111111111111';
const PREPARED = '2222222222222222';
const MOVE = '00000000000000ee';
const EPOCH = 4;
const PEER = 'node-2';

const RUNS = 300;
const CLIENT: IceCredentials = { ufrag: 'clnt', pwd: 'clientPasswordOf22char' };
const FINGERPRINT = {
  algorithm: 'sha-256' as const,
  value: Array.from({ length: 32 }, () => 'AB').join(':'),
};

let datapath: Datapath;
let socket: BoundSocket;
let context: NodeContext;
let dispatcher: ExceptionDispatcher;
let moves: MoveTable;
let ice: IceCredentials;
let events: NodeEvent[];
/** Datagrams that left for clients. */
let answers: number;
let nowMs: number;

async function open(): Promise<void> {
  datapath = createDatapath({ onExceptions: () => undefined });
  const send = datapath.sendDatagram.bind(datapath);
  datapath.sendDatagram = (...args) => {
    answers += 1;
    send(...args);
  };
  const loopback = { address: '127.0.0.1', port: 0, family: 'IPv4' } as const;
  socket = await datapath.openSocket({ ...loopback, purpose: 'client' });
  const linkSocket = await datapath.openSocket({ ...loopback, purpose: 'link' });
  const links = new Links(datapath, new NodeIdentity(), linkSocket);
  const peer = new NodeIdentity();
  links.setPeers(nowMs, [
    {
      nodeId: PEER,
      bootId: peer.bootId,
      identityKey: peer.identityKey.toString('base64'),
      linkKey: peer.linkKey.toString('base64'),
      linkKeySignature: peer.linkKeySignature.toString('base64'),
      linkAddress: { ...loopback, port: 9 },
    },
  ]);
  const router = new Router(datapath);
  context = {
    datapath,
    router,
    transports: new TransportTable(),
    streams: new StreamTable(datapath, router, (nodeId) => links.has(nodeId)),
    links,
    pool: await AddressPool.open(datapath, { announcedAddresses: ['127.0.0.1'], rtcPorts: null }),
    log: pino({ level: 'silent' }),
    clockMs: () => nowMs,
    nodeId: () => 'node-1',
    report: (event) => events.push(event),
  };
  moves = new MoveTable(context);
  dispatcher = new ExceptionDispatcher(context, moves);
}

/** One transport in its handshake, one prepared to be taken over from the peer. */
async function addTransports(): Promise<void> {
  const handshakes = handshakesWith(await createNodeCertificate());
  const commands = new CommandHandlers(context, moves, handshakes, () => false);
  const common = { id: 1, sessionId: 's', localSsrc: 7 };
  const remote = { ice: CLIENT, fingerprint: FINGERPRINT, setup: 'actpass' as const };
  const made = await commands.handle({
    ...common,
    type: 'createTransport',
    transportId: OWNED,
    epoch: 1,
    remote,
  });
  ice = (made as { ice: IceCredentials }).ice;
  await commands.handle({
    ...common,
    type: 'prepareMove',
    moveId: MOVE,
    transportId: PREPARED,
    epoch: EPOCH,
    sourceNodeId: PEER,
    method: 'candidate',
    ice: { ufrag: 'preparedUfrag16c', pwd: 'preparedPasswordOf24Char' },
    remoteIce: CLIENT,
    usedAddresses: [],
    media: { generation: 1, ingress: [], egress: [] },
    streams: [],
  });
}

beforeEach(async () => {
  events = [];
  answers = 0;
  nowMs = 1_000;
  await open();
  await addTransports();
  answers = 0;
});

afterEach(() => datapath.close());

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));

function dispatch(exception: { kind: 'stun' | 'dtls'; bytes: Buffer; transportId?: string | null }): void {
  const remote = { address: '127.0.0.1', port: 9, family: 'IPv4' } as const;
  dispatcher.dispatch([
    { transportId: null, ...exception, socket: socket.handle, remote, atMs: nowMs } as Exception,
  ]);
}

function dispatchLink(linkId: string, message: Buffer): void {
  dispatcher.dispatch([{ kind: 'linkMessage', linkId, bytes: message, atMs: nowMs }]);
}

function expectUntouched(): void {
  expect(context.transports.size).toBe(2);
  expect(context.transports.get(OWNED)?.pair).toBeNull();
  expect(context.transports.get(PREPARED)?.role.name).toBe('target');
  expect(events).toEqual([]);
}

describe('a node under fire on its client sockets', () => {
  it('answers requests with a wrong password a bounded number of times, and believes none', () => {
    for (let request = 0; request < RUNS; request += 1) {
      const stun = buildBindingRequest({
        transactionId: randomBytes(12),
        username: `${ice.ufrag}:${CLIENT.ufrag}`,
        password: 'aWrongPasswordOf24Chars!',
        useCandidate: true,
        iceRole: { role: 'controlling', tieBreaker: 1n },
      });
      dispatch({ kind: 'stun', bytes: stun });
    }
    expect(answers).toBeGreaterThan(0);
    expect(answers).toBeLessThanOrEqual(10);
    expectUntouched();
  });

  it('takes no username for anything, however long or strange', () => {
    const username = fc.oneof(
      fc.string({ maxLength: 160 }),
      fc.string({ maxLength: 100 }).map((theirs) => `${ice.ufrag}:${theirs}`),
      fc.constant('__proto__:constructor'),
      fc.constant(`${'A'.repeat(250)}:${'B'.repeat(250)}`),
    );
    fc.assert(
      fc.property(username, bytes(64), (name, tail) => {
        const request = buildBindingRequest({
          transactionId: randomBytes(12),
          username: name,
          password: 'x',
        });
        dispatch({ kind: 'stun', bytes: request });
        dispatch({ kind: 'stun', bytes: Buffer.concat([request.subarray(0, -8), tail]) });
      }),
      { numRuns: RUNS },
    );
    expectUntouched();
  });

  it('survives anything that begins like STUN or DTLS, for known and unknown transports', () => {
    const first = fc.constantFrom(0, 1, 20, 21, 22, 23, 24, 25, 63);
    const transportId = fc.constantFrom(OWNED, PREPARED, '9999999999999999', null);
    fc.assert(
      fc.property(first, bytes(1_500), transportId, (kind, rest, id) => {
        const datagram = Buffer.concat([Buffer.from([kind]), rest]);
        dispatch({ kind: 'stun', bytes: Buffer.from(datagram) });
        dispatch({ kind: 'dtls', bytes: datagram, transportId: id });
      }),
      { numRuns: RUNS },
    );
    expect(answers).toBe(0);
    expectUntouched();
  });
});

describe('the answer to a check that ends an ICE generation', () => {
  const FRESH: IceCredentials = { ufrag: 'freshUfrag16char', pwd: 'freshPasswordOf24Charact' };

  function check(credentials: IceCredentials, useCandidate = true): void {
    const bytes = buildBindingRequest({
      transactionId: randomBytes(12),
      username: `${credentials.ufrag}:${CLIENT.ufrag}`,
      password: credentials.pwd,
      priority: 1,
      iceRole: { role: 'controlling', tieBreaker: 1n },
      useCandidate,
    });
    dispatch({ kind: 'stun', bytes });
  }

  it('waits until what is on its way to the former address has arrived, though the new one is used at once', () => {
    const host = context.transports.get(OWNED);
    if (host === undefined) throw new Error('no transport');
    check(ice);
    expect(answers).toBe(1);
    host.ice.restart(FRESH);
    context.transports.indexUfrags(host);
    check(FRESH);
    expect(host.pair).not.toBeNull();
    // Of another pair, which is answered no earlier.
    check(FRESH);
    dispatcher.tick((nowMs += FORMER_ADDRESS_DRAIN_MS - 1));
    expect(answers).toBe(1);
    dispatcher.tick((nowMs += 1));
    expect(answers).toBe(3);
    check(FRESH);
    expect(answers).toBe(4);
  });

  it('waits for a bounded number of checks', () => {
    const host = context.transports.get(PREPARED);
    if (host === undefined) throw new Error('no transport');
    host.ice.restart(FRESH);
    context.transports.indexUfrags(host);
    for (let number = 0; number < ANSWERS_DELAYED_MAX; number += 1) check(FRESH, false);
    expect(answers).toBe(0);
    check(FRESH, false);
    expect(answers).toBe(1);
  });
});

describe('a gap in the batch of a proof', () => {
  it('is known before the proof is acted upon, whichever came first', () => {
    const order: string[] = [];
    vi.spyOn(context.router, 'handleGap').mockImplementation(() => void order.push('gap'));
    vi.spyOn(moves, 'proven').mockImplementation(() => void order.push('proof'));
    const stream = { streamId: '00000000000000aa', encodingId: 0 };
    const via = { kind: 'link', linkId: PEER, pathId: 1 } as const;
    const source = { kind: 'link', linkId: PEER } as const;
    const proof = { kind: 'proof', transportId: OWNED, generation: 1, via, atMs: nowMs } as const;
    const gap = { kind: 'gap', stream, fromIndex: 7, count: 1, source, atMs: nowMs } as const;
    dispatcher.dispatch([proof, gap]);
    expect(order).toEqual(['gap', 'proof']);
  });
});

describe('a grant that is spent', () => {
  it('fills no log', () => {
    const refusal = { kind: 'guard', transportId: OWNED, ssrc: 1, index: 9, reason: 'aboveCeiling' } as const;
    const logged = vi.spyOn(context.log, 'error');
    for (let packet = 0; packet < RUNS; packet += 1) dispatcher.dispatch([refusal]);
    expect(logged).toHaveBeenCalledTimes(1);
    nowMs += GUARD_LOG_INTERVAL_MS;
    dispatcher.dispatch([refusal]);
    expect(logged).toHaveBeenCalledTimes(2);
  });
});

describe('a node under fire from an authenticated peer', () => {
  const moveId = fc.constantFrom(MOVE, 'ffffffffffffffff', '0000000000000000');
  const linkId = fc.constantFrom(PEER, 'node-3', 'nobody');

  it('survives link messages of every class with any content', () => {
    const messageClass = fc.constantFrom(
      0,
      HANDOVER_MESSAGE_CLASS,
      CLOCK_MESSAGE_CLASS,
      PEER_MESSAGE_CLASS,
      255,
    );
    fc.assert(
      fc.property(linkId, messageClass, bytes(200), (from, first, rest) => {
        dispatchLink(from, Buffer.concat([Buffer.from([first]), rest]));
        dispatchLink(from, rest);
      }),
      { numRuns: RUNS },
    );
    dispatcher.tick(nowMs);
    expectUntouched();
  });

  it('believes no clock that is none', () => {
    const time = fc.oneof(fc.double(), fc.constantFrom(Infinity, -Infinity, NaN, 0));
    fc.assert(
      fc.property(time, time, (sent, theirs) => {
        const pong = Buffer.alloc(18);
        pong.set([CLOCK_MESSAGE_CLASS, 1]);
        pong.writeDoubleBE(sent, 2);
        pong.writeDoubleBE(theirs, 10);
        dispatchLink(PEER, pong);
        expect(context.links.roundTripMs(PEER) ?? 0).toBeLessThan(Infinity);
      }),
      { numRuns: RUNS },
    );
  });

  it('lets a third node say nothing about a move, and a wrong epoch nothing at all', () => {
    const kind = fc.constantFrom<PlainMessageKind>('release', 'accepted', 'refused', 'forgotten');
    fc.assert(
      fc.property(linkId, moveId, kind, fc.nat({ max: 9 }), (from, id, name, epoch) => {
        dispatchLink(from, encodeHandoverMessage({ kind: name, moveId: id, epoch }));
        dispatchLink(from, encodeHandoverMessage({ kind: 'pathProven', moveId: id, epoch, pathId: 1 }));
        const strange = {
          kind: 'abort',
          moveId: id,
          epoch: from === PEER ? EPOCH + 1 + epoch : EPOCH,
        } as const;
        dispatchLink(from, encodeHandoverMessage({ ...strange, ownerEpoch: 1 }));
      }),
      { numRuns: RUNS },
    );
    expectUntouched();
    expect(moves.target(MOVE)?.move.stateName).toBe('prepared');
  });

  it('refuses a state that does not open, once and for all, and lets the client go back', () => {
    const transfer = (fragment: number, fragments: number): HandoverMessage => ({
      kind: 'transfer',
      moveId: MOVE,
      epoch: EPOCH,
      fragment,
      fragments,
      bytes: randomBytes(1_024),
    });
    dispatchLink(PEER, encodeHandoverMessage(transfer(0, 2)));
    dispatchLink(PEER, encodeHandoverMessage(transfer(5, 64)));
    expect(moves.target(MOVE)?.move.stateName).toBe('prepared');
    for (const fragment of [0, 1, 2, 0, 1, 2])
      dispatchLink(PEER, encodeHandoverMessage(transfer(fragment, 3)));
    expect(moves.target(MOVE)?.move.stateName).toBe('tombstone');
    expect(context.transports.get(PREPARED)?.role.name).toBe('relay');
    expect(events.map(({ event }) => event)).toEqual(['moveEnded']);
  });
});
