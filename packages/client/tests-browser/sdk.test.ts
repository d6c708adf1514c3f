import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OT as OTNamespace, Publisher, Session, Stream, Subscriber } from '../src/index.js';
import { openSdkPage } from './page.js';
import type { SdkPage } from './page.js';

/** What the page's functions share; they run in the browser. */
interface Shared {
  OT: typeof OTNamespace;
  alice: Session;
  bob: Session;
  publisher: Publisher;
  subscriber: Subscriber;
  stream: Stream;
  log: string[];
  heard: string[];
  fakeControl: { clients: Map<string, FakeClient>; streams: Map<string, unknown> };
}
interface FakeClient {
  socket: { break(): void };
  offers: number;
  holdOffers: boolean;
  releaseOffers?(): void;
  lastOffer: { sdp: string; publications: unknown[]; subscriptions: unknown[] };
  report?: Record<string, number | string | null>;
  event(event: object): void;
  restart(moveId?: string): Promise<void>;
}
declare const window: Window & Shared;

let sdk: SdkPage;
beforeAll(async () => {
  sdk = await openSdkPage();
});
afterAll(() => sdk.close());

describe('the SDK in Chromium', () => {
  it('connects, publishes and subscribes, with properties set before callbacks', async () => {
    const seen = await sdk.page.evaluate(async () => {
      const { OT } = window;
      window.log = [];
      window.heard = [];
      const alice = (window.alice = OT.initSession('key', 'session', { sessionMigration: true }));
      const bob = (window.bob = OT.initSession('key', 'session', { sessionMigration: true }));
      await alice.connect.promise('token');
      alice.on('connectionCreated', ({ connection }) => window.heard.push(connection.connectionId));
      const connectedBeforeCallback = await new Promise((resolve) =>
        bob.connect('token', () => resolve(bob.connection?.connectionId !== undefined)),
      );
      const created = new Promise<Stream>((resolve) =>
        bob.on('streamCreated', ({ stream }) => resolve(stream)),
      );
      const publisher = (window.publisher = OT.initPublisher(undefined, {
        resolution: '320x180',
        name: 'alice',
      }));
      const streamBeforeCallback = await new Promise((resolve, reject) =>
        alice.publish(publisher, undefined, (error) =>
          error === undefined ? resolve(publisher.stream?.streamId) : reject(error),
        ),
      );
      const stream = (window.stream = await created);
      const subscriber = (window.subscriber = bob.subscribe(stream, undefined, {}, () =>
        window.log.push('callback'),
      ));
      window.log.push('returned');
      subscriber.on({
        videoElementCreated: ({ element }) => window.log.push(`element ${element.tagName}`),
        connected: () => window.log.push('connected'),
      });
      await new Promise<void>((resolve) => subscriber.once('videoDimensionsChanged', () => resolve()));
      const heard = window.heard.map((id) => (id === alice.connection?.connectionId ? 'own' : 'other'));
      return {
        connectedBeforeCallback,
        streamBeforeCallback,
        streamId: stream.streamId,
        log: window.log,
        heard,
      };
    });
    expect(seen.connectedBeforeCallback).toBe(true);
    expect(seen.heard).toEqual(['own', 'other']);
    expect(seen.streamBeforeCallback).toBe(seen.streamId);
    expect(seen.log).toEqual(['returned', 'element VIDEO', 'connected', 'callback']);
  });

  it('reports only the inbound streams of one subscriber', async () => {
    const report = await sdk.page.evaluate(async () => {
      const entries = [...(await window.subscriber.getRtcStatsReport()).values()];
      const stats = await new Promise((resolve) =>
        window.subscriber.getStats((_error, value) => resolve(value)),
      );
      return { types: entries.map(({ type, kind }) => `${type} ${String(kind ?? '')}`.trim()), stats };
    });
    expect(report.types.filter((type) => type.startsWith('inbound-rtp')).sort()).toEqual([
      'inbound-rtp audio',
      'inbound-rtp video',
    ]);
    expect(report.types).toContain('transport');
    expect(report.types.some((type) => type.startsWith('outbound-rtp'))).toBe(false);
    expect(report.stats).toMatchObject({ video: { codec: 'VP8', width: 320 } });
  });

  it('rolls its offer back for a server restart and makes it again', async () => {
    const seen = await sdk.page.evaluate(async () => {
      const { alice, OT } = window;
      const client = window.fakeControl.clients.get(alice.connection?.connectionId ?? '');
      if (client === undefined) throw new Error('no client');
      client.holdOffers = true;
      const before = client.offers;
      const second = OT.initPublisher(undefined, { videoSource: false, name: 'second' });
      const published = alice.publish.promise(second);
      while (client.offers === before) await new Promise((resolve) => setTimeout(resolve, 10));
      await client.restart();
      client.holdOffers = false;
      client.releaseOffers?.();
      await published;
      const sections = client.lastOffer.sdp.match(/^m=/gm)?.length;
      alice.unpublish(second);
      return { offers: client.offers - before, publications: client.lastOffer.publications.length, sections };
    });
    expect(seen.publications).toBe(2);
    expect(seen.offers).toBeGreaterThanOrEqual(2);
    expect(seen.sections).toBe(3);
  });

  it('reuses m-lines for the next publication', async () => {
    const sections = await sdk.page.evaluate(async () => {
      const { alice, OT } = window;
      const client = window.fakeControl.clients.get(alice.connection?.connectionId ?? '');
      for (let round = 0; round < 3; round += 1) {
        const publisher = OT.initPublisher(undefined, { videoSource: false });
        await alice.publish.promise(publisher);
        publisher.destroy();
      }
      return client?.lastOffer.sdp.match(/^m=/gm)?.length;
    });
    expect(sections).toBe(3);
  });

  it('measures a move by restart and reports it', async () => {
    const seen = await sdk.page.evaluate(async () => {
      const { bob } = window;
      const client = window.fakeControl.clients.get(bob.connection?.connectionId ?? '');
      if (client === undefined) throw new Error('no client');
      let started = '';
      bob.on('migrationStarted', ({ moveId }) => (started = moveId));
      const measured = new Promise((resolve) => bob.on('migrationMeasured', ({ report }) => resolve(report)));
      await client.restart('00000000000000aa');
      client.event({ event: 'moveEnded', moveId: '00000000000000aa', outcome: 'completed', nodeId: 'b' });
      await measured;
      return { started, report: client.report };
    });
    expect(seen.started).toBe('00000000000000aa');
    expect(seen.report).toMatchObject({ moveId: '00000000000000aa', subscribers: 1, hiddenMs: 0 });
    expect(seen.report?.frameGapMsMax).toBeGreaterThan(0);
    expect(seen.report?.frameGapBeforeMsMax).toBeGreaterThan(0);
  });

  it('keeps media through a broken socket and sends queued signals afterwards', async () => {
    const seen = await sdk.page.evaluate(async () => {
      const { bob, subscriber } = window;
      const client = window.fakeControl.clients.get(bob.connection?.connectionId ?? '');
      const events: string[] = [];
      bob.on('sessionReconnecting sessionReconnected' as 'sessionReconnecting', ({ type }) =>
        events.push(type),
      );
      subscriber.on('disconnected', () => events.push('disconnected'));
      const got = new Promise<string>((resolve) => bob.on('signal:chat', ({ data }) => resolve(data)));
      client?.socket.break();
      bob.signal({ type: 'chat', data: 'hello' });
      return { data: await got, events };
    });
    expect(seen).toEqual({ data: 'hello', events: ['sessionReconnecting', 'sessionReconnected'] });
  });

  it('mutes: the stream changes and the subscriber is told', async () => {
    const reason = await sdk.page.evaluate(async () => {
      const told = new Promise((resolve) =>
        window.subscriber.on('videoDisabled', (event) => resolve(event.reason)),
      );
      window.publisher.publishVideo(false);
      return told;
    });
    expect(reason).toBe('publishVideo');
  });

  it('removes the element when the stream ends, and ends with one sessionDisconnected', async () => {
    const seen = await sdk.page.evaluate(async () => {
      const { alice, bob, publisher, subscriber } = window;
      const { element } = subscriber;
      const events: string[] = [];
      subscriber.on('destroyed', ({ reason }) => events.push(`destroyed ${reason}`));
      const destroyed = new Promise<void>((resolve) => bob.on('streamDestroyed', () => resolve()));
      alice.unpublish(publisher);
      await destroyed;
      await new Promise((resolve) => setTimeout(resolve, 0));
      const client = window.fakeControl.clients.get(bob.connection?.connectionId ?? '');
      bob.on('sessionDestroyed', ({ type, reason }) => events.push(`${type} ${reason}`));
      const gone = new Promise<void>((resolve) =>
        bob.on('sessionDisconnected', ({ type, reason }) => {
          events.push(`${type} ${reason}`);
          resolve();
        }),
      );
      client?.event({ event: 'sessionDestroyed', reason: 'serverRotation' });
      client?.event({ event: 'sessionDisconnected', reason: 'serverRotation' });
      client?.event({ event: 'sessionDisconnected', reason: 'serverRotation' });
      await gone;
      await bob.disconnect();
      return {
        removed: element?.isConnected === false,
        publisherRemoved: !publisher.element?.isConnected,
        events,
      };
    });
    expect(seen).toEqual({
      removed: true,
      publisherRemoved: true,
      events: [
        'destroyed clientDisconnected',
        'sessionDestroyed serverRotation',
        'sessionDisconnected serverRotation',
      ],
    });
  });
});
