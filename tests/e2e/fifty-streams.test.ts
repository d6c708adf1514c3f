import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NODE_MESSAGE_BYTES_MAX, SIGNALLING_MESSAGE_BYTES_MAX } from '@godwit/protocol';
import { launchChromium, type Peer } from '@godwit/testing';
import { join, openCallPage, type CallPage } from './support/call.js';
import { startPeerPlatform, type PeerPlatform } from './support/peers.js';
import { eventually, within } from './support/waits.js';

// One Chromium that receives 50 streams over one connection, and is moved with them. Its publishers are native peers.

const PEERS = 5;
const STREAMS_PER_PEER = 10;
const STREAMS = PEERS * STREAMS_PER_PEER;
const HOPS = 4;
/** MEDIA_SECTIONS_MAX, two for each subscription. */
const SUBSCRIPTIONS_MAX = 64;
/** TRANSFER's room: 64 fragments of 1,024 bytes. */
const STATE_BYTES_MAX = 65_536;
/** HANDOVER 4. */
const stateBudgetBytes = (egressStreams: number): number => 1_024 + 300 * egressStreams;
/** Slow streams: 50 of them, with their decoders, must not be what keeps two cores busy. */
const PACE = {
  audio: { packetsPerSecond: 10, payloadBytes: 60 },
  video: { framesPerSecond: 2, packetsPerFrame: 1, payloadBytes: 200 },
};
/** What flows in some seconds. */
const SOME_PACKETS = 30 * STREAMS;
/** A busy machine takes its time; more means that something hangs. */
const PATIENCE_MS = 60_000;
const CASE = { timeout: 6 * PATIENCE_MS };

/**
 * Notes what the page sends to control, and counts what its connection receives by one report: the SDK's are one for each
 * subscriber, and each of those reads all of the connection's hundred streams.
 */
const VIEWER_SCRIPT = `
window.offers = [];
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (data) {
  if (typeof data === 'string' && data.includes('"type":"offer"')) window.offers.push(data.length);
  return send.call(this, data);
};
const peers = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...values) {
    super(...values);
    peers.push(this);
  }
};
window.received = async () => {
  const sums = { tracks: 0, flowing: 0, packets: 0, lost: 0 };
  for (const peer of peers) {
    for (const entry of (await peer.getStats()).values()) {
      if (entry.type !== 'inbound-rtp') continue;
      sums.tracks += 1;
      sums.flowing += entry.packetsReceived > 0 ? 1 : 0;
      sums.packets += entry.packetsReceived;
      sums.lost += entry.packetsLost;
    }
  }
  return sums;
};`;

interface Received {
  /** That the connection knows, and of which packets have come. */
  readonly tracks: number;
  readonly flowing: number;
  readonly packets: number;
  readonly lost: number;
}

interface ViewerWindow {
  offers: number[];
  received(): Promise<Received>;
  call: {
    session: {
      subscribe(
        stream: unknown,
        target: undefined,
        properties: object,
        done: (error?: Error) => void,
      ): unknown;
    };
    subscribers: Map<string, { stream: unknown }>;
  };
}

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

describe('a client that receives 50 streams over one connection', () => {
  let stage: PeerPlatform;
  let sessionId: string;
  let browser: Browser;
  let viewer: CallPage;
  const peers: Peer[] = [];

  beforeAll(async () => {
    stage = await startPeerPlatform();
    sessionId = await stage.api.createSession();
    browser = await launchChromium({ fakeDevices: true, flags: ['--allow-loopback-in-peer-connection'] });
    for (let number = 0; number < PEERS; number++) {
      peers.push(await within(`peer ${number + 1} joins`, PATIENCE_MS, publishMany()));
      print(`${peers.length * STREAMS_PER_PEER} of ${STREAMS} streams are published`);
    }
    viewer = await openCallPage(browser, stage.platform, 'viewer', VIEWER_SCRIPT);
  }, CASE.timeout);

  afterAll(async () => {
    await browser?.close();
    await Promise.all(peers.map((peer) => peer.close()));
    await stage?.platform.stop();
  });

  async function publishMany(): Promise<Peer> {
    const peer = await stage.join(sessionId);
    for (let stream = 0; stream < STREAMS_PER_PEER; stream++) await peer.publish(PACE);
    return peer;
  }

  const offers = (): Promise<number[]> =>
    viewer.page.evaluate(() => (window as unknown as ViewerWindow).offers);
  const received = (): Promise<Received> =>
    viewer.page.evaluate(() => (window as unknown as ViewerWindow).received());

  /** The platform's own words stand beside what is missing. */
  async function seen(what: string, missing: () => Promise<string | null>): Promise<void> {
    await eventually(what, PATIENCE_MS, missing).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${stage.platform.log.slice(-40).join('\n')}`);
    });
  }

  async function flowsOn(): Promise<void> {
    const { packets } = await received();
    await seen('media flows on', async () => {
      const came = (await received()).packets - packets;
      return came > SOME_PACKETS ? null : `${came} of ${SOME_PACKETS} packets have come`;
    });
  }

  /** Moves everybody; answers what the move of the viewer, whose state is by far the largest, was like. */
  async function move(): Promise<{ stateBytes: number; transferMs: number; pathMs: number }> {
    const { api } = stage;
    const { body } = await api.migrate(sessionId);
    const migration = await api.migrated(sessionId, String(body['id']), PATIENCE_MS);
    expect(migration.status, JSON.stringify(migration)).toBe('completed');
    const all = (migration.connections ?? []).map(({ measures }) => measures);
    const largest = all.toSorted((a, b) => (b?.stateBytes ?? 0) - (a?.stateBytes ?? 0))[0];
    return { stateBytes: 0, transferMs: 0, pathMs: 0, ...largest };
  }

  it('subscribes to all of them by a few offers that fit the message limits', CASE, async () => {
    const startedAt = Date.now();
    const token = await stage.api.token(sessionId);
    const options = {
      sessionId,
      token,
      sessionMigration: true,
      publish: false,
      countsKeyFrames: false,
    } as const;
    await within('the viewer joins', PATIENCE_MS, join(viewer, stage.platform, options));
    await seen('every track is received', async () => {
      const { tracks, flowing } = await received();
      const isSo = tracks === 2 * STREAMS && flowing === tracks;
      return isSo ? null : `${tracks} of ${2 * STREAMS} tracks are known, ${flowing} flow`;
    });
    const elapsedMs = Date.now() - startedAt;
    const sizes = await offers();
    print(
      `${STREAMS} streams: ${sizes.length} offers, the largest ${Math.max(...sizes)} bytes, received after ${elapsedMs} ms`,
    );
    expect(sizes.length).toBeLessThanOrEqual(4);
    expect(Math.max(...sizes)).toBeLessThan(SIGNALLING_MESSAGE_BYTES_MAX / 1.5);
  });

  it('moves with all of them and loses no packet', CASE, async () => {
    await flowsOn();
    const before = await received();
    for (let hop = 0; hop < HOPS; hop++) {
      const { stateBytes, transferMs, pathMs } = await move();
      print(
        `moved ${2 * STREAMS} egress streams: state ${stateBytes} bytes, transfer ${transferMs.toFixed(1)} ms, path ${pathMs.toFixed(0)} ms`,
      );
      expect(stateBytes).toBeGreaterThan(100 * STREAMS);
      expect(stateBytes).toBeLessThanOrEqual(stateBudgetBytes(2 * STREAMS));
      expect(stateBytes).toBeLessThan(STATE_BYTES_MAX);
    }
    await flowsOn();
    expect((await received()).lost - before.lost, 'packets lost').toBe(0);
    expect(NODE_MESSAGE_BYTES_MAX).toBeGreaterThan(STATE_BYTES_MAX);
  });

  it(
    'takes streams up to the limit of m-lines; one more is a named error and changes nothing',
    CASE,
    async () => {
      const errors = await within(
        `${SUBSCRIPTIONS_MAX - STREAMS + 1} more subscriptions are answered`,
        PATIENCE_MS,
        subscribeAgain(SUBSCRIPTIONS_MAX - STREAMS + 1),
      );
      expect(errors.filter((name) => name === '')).toHaveLength(SUBSCRIPTIONS_MAX - STREAMS);
      expect(errors.filter((name) => name !== '')).toEqual(['OT_STREAM_LIMIT_EXCEEDED']);
      const sizes = await offers();
      print(`${SUBSCRIPTIONS_MAX} subscriptions: offers of ${sizes.join()} bytes`);
      const { stateBytes } = await move();
      print(`moved ${2 * SUBSCRIPTIONS_MAX} egress streams: state ${stateBytes} bytes`);
      expect(stateBytes).toBeLessThanOrEqual(stateBudgetBytes(2 * SUBSCRIPTIONS_MAX));
      // The connection still negotiates.
      const [peer] = peers;
      const streamId = await peer?.publish(PACE);
      await seen('the viewer hears of one more stream', async () => {
        const heard = await viewer.page.evaluate(
          (id) =>
            window.call.events.some(({ name, detail }) => name === 'streamCreated' && detail['id'] === id),
          streamId,
        );
        return heard ? null : 'no event of it has come';
      });
      await peer?.unpublish(streamId ?? '');
      await flowsOn();
    },
  );

  /** Names of the errors by which further subscriptions to the first stream end; empty for none. */
  function subscribeAgain(count: number): Promise<string[]> {
    return viewer.page.evaluate((extra) => {
      const { session, subscribers } = (window as unknown as ViewerWindow).call;
      const [first] = subscribers.values();
      const one = (): Promise<string> =>
        new Promise((resolve) => {
          session.subscribe(first?.stream, undefined, { insertMode: 'append' }, (error) =>
            resolve(error?.name ?? ''),
          );
        });
      return Promise.all(Array.from({ length: extra }, one));
    }, count);
  }
});
