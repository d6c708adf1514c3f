import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NODE_MESSAGE_BYTES_MAX, SIGNALLING_MESSAGE_BYTES_MAX } from '@godwit/protocol';
import { launchChromium, Peer, PlatformApi, startPlatform, type Platform } from '@godwit/testing';
import { join, openCallPage, type CallPage } from './support/call.js';

// One Chromium that receives 50 streams over one connection, and is moved with them. Its publishers are native peers.

const PEERS = 5;
const STREAMS_PER_PEER = 10;
const STREAMS = PEERS * STREAMS_PER_PEER;
/** MEDIA_SECTIONS_MAX, two for each subscription. */
const SUBSCRIPTIONS_MAX = 64;
/** TRANSFER's room: 64 fragments of 1,024 bytes. */
const STATE_BYTES_MAX = 65_536;
/** HANDOVER 4. */
const stateBudgetBytes = (egressStreams: number): number => 1_024 + 300 * egressStreams;
/** Slow streams: 50 of them must not be what keeps two cores busy. */
const PACE = {
  audio: { packetsPerSecond: 20, payloadBytes: 60 },
  video: { framesPerSecond: 5, packetsPerFrame: 1 },
};

/** Notes what the page sends to control. */
const OFFERS_SCRIPT = `
window.offers = [];
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (data) {
  if (typeof data === 'string' && data.includes('"type":"offer"')) window.offers.push(data.length);
  return send.call(this, data);
};`;

interface OfferingWindow {
  offers: number[];
}

describe('a client that receives 50 streams over one connection', () => {
  let platform: Platform;
  let api: PlatformApi;
  let sessionId: string;
  let browser: Browser;
  let viewer: CallPage;
  const peers: Peer[] = [];

  beforeAll(async () => {
    platform = await startPlatform({
      nodeEnv: { GODWIT_ANNOUNCED_ADDRESSES: '127.0.0.1' },
      env: { GODWIT_MIGRATION_MIN_AGE_SECONDS: '0' },
    });
    api = new PlatformApi(platform);
    sessionId = await api.createSession();
    browser = await launchChromium({ fakeDevices: true, flags: ['--allow-loopback-in-peer-connection'] });
    const { url, apiKey } = platform;
    for (let number = 0; number < PEERS; number++) {
      const peer = await Peer.join({ url, apiKey, sessionId, token: await api.token(sessionId) });
      peers.push(peer);
      for (let stream = 0; stream < STREAMS_PER_PEER; stream++) await peer.publish(PACE);
    }
    viewer = await openCallPage(browser, platform, 'viewer', OFFERS_SCRIPT);
  });

  afterAll(async () => {
    await browser?.close();
    await Promise.all(peers.map((peer) => peer.close()));
    await platform?.stop();
  });

  const offers = (): Promise<number[]> =>
    viewer.page.evaluate(() => (window as unknown as OfferingWindow).offers);
  const counters = (): Promise<Record<string, number>> =>
    viewer.page.evaluate(() => window.call.counters()) as Promise<Record<string, number>>;

  async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    for (const deadline = Date.now() + 60_000; !(await isSo());) {
      if (Date.now() > deadline) throw new Error(`never: ${what}\n${platform.log.slice(-40).join('\n')}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async function move(): Promise<{ stateBytes: number; transferMs: number; pathMs: number }> {
    const { body } = await api.migrate(sessionId);
    const migration = await api.migrated(sessionId, String(body['id']));
    expect(migration.status, JSON.stringify(migration)).toBe('completed');
    const all = (migration.connections ?? []).map(({ measures }) => measures);
    // The viewer's state is by far the largest.
    const largest = all.toSorted((a, b) => (b?.stateBytes ?? 0) - (a?.stateBytes ?? 0))[0];
    return { stateBytes: 0, transferMs: 0, pathMs: 0, ...largest };
  }

  it('subscribes to all of them by a few offers that fit the message limits', async () => {
    const startedAt = Date.now();
    await join(viewer, platform, {
      sessionId,
      token: await api.token(sessionId),
      sessionMigration: true,
      publish: false,
    });
    await until('every track is received', async () => (await counters())['receivers'] === 2 * STREAMS);
    const elapsedMs = Date.now() - startedAt;
    const sizes = await offers();
    process.stdout.write(
      `${STREAMS} streams: ${sizes.length} offers, the largest ${Math.max(...sizes)} bytes, received after ${elapsedMs} ms\n`,
    );
    expect(sizes.length).toBeLessThanOrEqual(4);
    expect(Math.max(...sizes)).toBeLessThan(SIGNALLING_MESSAGE_BYTES_MAX / 1.5);
  });

  it('moves with all of them and loses no packet', async () => {
    await until('media flows', async () => ((await counters())['audio.packetsReceived'] ?? 0) > 20 * STREAMS);
    const before = await counters();
    for (let hop = 0; hop < 4; hop++) {
      const { stateBytes, transferMs, pathMs } = await move();
      process.stdout.write(
        `moved ${2 * STREAMS} egress streams: state ${stateBytes} bytes, transfer ${transferMs.toFixed(1)} ms, path ${pathMs.toFixed(0)} ms\n`,
      );
      expect(stateBytes).toBeGreaterThan(100 * STREAMS);
      expect(stateBytes).toBeLessThanOrEqual(stateBudgetBytes(2 * STREAMS));
      expect(stateBytes).toBeLessThan(STATE_BYTES_MAX);
    }
    const received = before['audio.packetsReceived'] ?? 0;
    await until(
      'media flows on',
      async () => ((await counters())['audio.packetsReceived'] ?? 0) > received + 20 * STREAMS,
    );
    const after = await counters();
    for (const key of ['audio.packetsLost', 'video.packetsLost'])
      expect((after[key] ?? 0) - (before[key] ?? 0), key).toBe(0);
    expect(NODE_MESSAGE_BYTES_MAX).toBeGreaterThan(STATE_BYTES_MAX);
  });

  it('takes streams up to the limit of m-lines; one more is a named error and changes nothing', async () => {
    const errors = await viewer.page.evaluate(
      async (extra) => {
        interface Session {
          subscribe(
            stream: unknown,
            target: undefined,
            properties: object,
            done: (error?: Error) => void,
          ): unknown;
        }
        const call = window.call as unknown as {
          session: Session;
          subscribers: Map<string, { stream: unknown }>;
        };
        const [first] = call.subscribers.values();
        const one = (): Promise<string> =>
          new Promise((resolve) => {
            const properties = { insertMode: 'append' };
            call.session.subscribe(first?.stream, undefined, properties, (error) =>
              resolve(error?.name ?? ''),
            );
          });
        return Promise.all(Array.from({ length: extra }, one));
      },
      SUBSCRIPTIONS_MAX - STREAMS + 1,
    );
    expect(errors.filter((name) => name === '')).toHaveLength(SUBSCRIPTIONS_MAX - STREAMS);
    expect(errors.filter((name) => name !== '')).toEqual(['OT_STREAM_LIMIT_EXCEEDED']);
    const sizes = await offers();
    process.stdout.write(`${SUBSCRIPTIONS_MAX} subscriptions: offers of ${sizes.join()} bytes\n`);
    const { stateBytes } = await move();
    process.stdout.write(`moved ${2 * SUBSCRIPTIONS_MAX} egress streams: state ${stateBytes} bytes\n`);
    expect(stateBytes).toBeLessThanOrEqual(stateBudgetBytes(2 * SUBSCRIPTIONS_MAX));
    // The connection still negotiates.
    const [peer] = peers;
    const streamId = await peer?.publish(PACE);
    await viewer.page.waitForFunction(
      (id) => window.call.events.some(({ name, detail }) => name === 'streamCreated' && detail['id'] === id),
      streamId,
    );
    await peer?.unpublish(streamId ?? '');
    const received = (await counters())['audio.packetsReceived'] ?? 0;
    await until(
      'media flows on',
      async () => ((await counters())['audio.packetsReceived'] ?? 0) > received + 20 * STREAMS,
    );
  });
});
