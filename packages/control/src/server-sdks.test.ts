import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { Auth } from '@vonage/auth';
import { Video } from '@vonage/video';
import OpenTok from 'opentok';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeClient, type ConnectResult } from './testing/fake-client.js';
import type { FakeNode } from './testing/fake-node.js';
import { Harness, SECRETS } from './testing/harness.js';

// The packages that applications use, unmodified: with a key and a secret, and with an application's key pair.

const APPLICATION = randomUUID();
const { publicKey, privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2_048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});

/** What the packages have in common, as promises. */
interface ServerSdk {
  createSession(): Promise<string>;
  token(sessionId: string, options: { role: string; data?: string; classes?: string[] }): string;
  streams(sessionId: string): Promise<readonly { id: string; layoutClassList: readonly string[] }[] | null>;
  stream(sessionId: string, streamId: string): Promise<{ name: string; videoType: string }>;
  setClasses(sessionId: string, streamId: string, classes: string[]): Promise<unknown>;
  signal(
    sessionId: string,
    connectionId: string | null,
    signal: { type: string; data: string },
  ): Promise<unknown>;
  disconnect(sessionId: string, connectionId: string): Promise<unknown>;
  muteStream(sessionId: string, streamId: string): Promise<unknown>;
  muteAll(sessionId: string, excluded: string[]): Promise<unknown>;
  unmuteAll(sessionId: string): Promise<unknown>;
  dtmf(sessionId: string, digits: string): Promise<unknown>;
}

function overOpenTok(sdk: OpenTok): ServerSdk {
  // Its declarations lag behind its code.
  const all = sdk as unknown as Record<string, (...args: unknown[]) => unknown>;
  const call = (name: string, ...args: unknown[]): Promise<unknown> =>
    promisify((done: (error: Error | null, value?: unknown) => void) => {
      (all[name] as (...args: unknown[]) => void).call(sdk, ...args, done);
    })();
  return {
    createSession: async () => ((await call('createSession', {})) as { sessionId: string }).sessionId,
    token: (sessionId, { role, data, classes }) =>
      (all['generateToken'] as (id: string, options: object) => string).call(sdk, sessionId, {
        role,
        data: data ?? '',
        initialLayoutClassList: classes ?? [],
      }),
    streams: async (sessionId) => (await call('listStreams', sessionId)) as never,
    stream: async (sessionId, streamId) => (await call('getStream', sessionId, streamId)) as never,
    setClasses: (sessionId, streamId, classes) =>
      call('setStreamClassLists', sessionId, [{ id: streamId, layoutClassList: classes }]),
    signal: (sessionId, connectionId, signal) => call('signal', sessionId, connectionId, signal),
    disconnect: (sessionId, connectionId) => call('forceDisconnect', sessionId, connectionId),
    muteStream: (sessionId, streamId) => call('forceMuteStream', sessionId, streamId),
    muteAll: (sessionId, excludedStreamIds) => call('forceMuteAll', sessionId, { excludedStreamIds }),
    unmuteAll: (sessionId) => call('disableForceMute', sessionId),
    dtmf: (sessionId, digits) => call('playDTMF', sessionId, null, digits),
  };
}

function overVonage(url: string): ServerSdk {
  const video = new Video(new Auth({ applicationId: APPLICATION, privateKey }), { videoHost: url });
  return {
    createSession: async () => (await video.createSession({})).sessionId,
    token: (sessionId, { role, data, classes }) =>
      video.generateClientToken(sessionId, {
        role: role as never,
        data: data ?? '',
        ...(classes === undefined ? {} : { initialLayoutClassList: classes }),
      }),
    streams: async (sessionId) =>
      ((await video.getStreamInfo(sessionId)) as unknown as { items: never }).items,
    stream: async (sessionId, streamId) => (await video.getStreamInfo(sessionId, streamId)) as never,
    setClasses: (sessionId, streamId, classes) =>
      video.setStreamClassLists(sessionId, [{ id: streamId, layoutClassList: classes }] as never),
    signal: (sessionId, connectionId, signal) =>
      video.sendSignal(signal, sessionId, ...(connectionId === null ? [] : [connectionId])),
    disconnect: (sessionId, connectionId) => video.disconnectClient(sessionId, connectionId),
    muteStream: (sessionId, streamId) => video.muteStream(sessionId, streamId),
    muteAll: (sessionId, excluded) => video.forceMuteAll(sessionId, excluded),
    unmuteAll: (sessionId) => video.disableForceMute(sessionId),
    dtmf: (sessionId, digits) => video.playDTMF(sessionId, digits),
  };
}

let harness: Harness;
let node: FakeNode;

beforeAll(async () => {
  harness = await Harness.start();
  node = await harness.node();
  const response = await fetch(`${harness.url}/admin/v1/projects`, {
    method: 'POST',
    headers: { authorization: `Bearer ${SECRETS.adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ id: APPLICATION, name: 'an application', publicKey }),
  });
  expect(response.status).toBe(201);
}, 60_000);
afterAll(() => harness.close());

async function join(
  apiKey: string,
  sessionId: string,
  token: string,
): Promise<FakeClient & { joined: ConnectResult }> {
  const client = await FakeClient.open(harness.url);
  const fields = {
    apiKey,
    sessionId,
    token,
    sdkVersion: 'test',
    sessionMigration: true,
    pathMethod: 'candidate',
  };
  return Object.assign(client, { joined: await client.request<ConnectResult>('connect', fields) });
}

describe.each([
  [
    'opentok with key and secret',
    SECRETS.apiKey,
    () => overOpenTok(new OpenTok(SECRETS.apiKey, SECRETS.apiSecret, harness.url)),
  ],
  [
    'opentok with an application',
    APPLICATION,
    () => overOpenTok(new OpenTok(APPLICATION, privateKey, harness.url)),
  ],
  ['@vonage/video', APPLICATION, () => overVonage(harness.url)],
])('%s', (_name, apiKey, make) => {
  let sdk: ServerSdk;
  let sessionId: string;
  let publisher: FakeClient & { joined: ConnectResult };
  let streamId: string;

  beforeAll(async () => {
    sdk = make();
    sessionId = await sdk.createSession();
    const token = sdk.token(sessionId, { role: 'publisher', data: 'name=Ada', classes: ['full', 'focus'] });
    publisher = await join(apiKey, sessionId, token);
    ({ streamId } = await harness.publish(publisher, node));
  });

  it('makes tokens that let their bearer in, with role, data and layout classes', async () => {
    expect(publisher.joined.connection.data).toBe('name=Ada');
    const moderator = await join(apiKey, sessionId, sdk.token(sessionId, { role: 'moderator' }));
    expect(moderator.joined.capabilities.forceDisconnect).toBe(1);
    const watcher = await join(apiKey, sessionId, sdk.token(sessionId, { role: 'subscriber' }));
    expect(watcher.joined.capabilities.publish).toBe(0);
    moderator.drop();
    watcher.drop();
  });

  it('lists streams and their layout classes, reads one, and changes the classes', async () => {
    expect(await sdk.streams(sessionId)).toMatchObject([
      { id: streamId, layoutClassList: ['full', 'focus'] },
    ]);
    expect(await sdk.stream(sessionId, streamId)).toMatchObject({ name: 'camera', videoType: 'camera' });
    await sdk.setClasses(sessionId, streamId, ['left']);
    expect(await sdk.streams(sessionId)).toMatchObject([{ layoutClassList: ['left'] }]);
    await expect(sdk.stream(sessionId, '0'.repeat(16))).rejects.toBeDefined();
  });

  it('signals to all and to one', async () => {
    const other = await join(apiKey, sessionId, sdk.token(sessionId, { role: 'publisher' }));
    await sdk.signal(sessionId, null, { type: 'chat', data: 'to all' });
    await sdk.signal(sessionId, publisher.joined.connection.connectionId, { type: 'chat', data: 'to one' });
    const toOne = await publisher.event('signal', ({ data }) => data === 'to one');
    expect([toOne.signalType, toOne.from]).toEqual(['chat', undefined]);
    await other.event('signal', ({ data }) => data === 'to all');
    expect(other.events.filter(({ event }) => event === 'signal')).toHaveLength(1);
    await expect(sdk.signal(sessionId, randomUUID(), { type: 'chat', data: 'x' })).rejects.toBeDefined();
    other.drop();
  });

  it('mutes one stream, and all but some, and lifts it', async () => {
    await sdk.muteStream(sessionId, streamId);
    await publisher.event('streamMuteForced');
    await sdk.muteAll(sessionId, [streamId]);
    await publisher.event('muteForced', ({ active }) => active);
    const late = await join(apiKey, sessionId, sdk.token(sessionId, { role: 'publisher' }));
    expect(late.joined.muteForced).toBe(true);
    await sdk.unmuteAll(sessionId);
    await late.event('muteForced', ({ active }) => !active);
    expect(publisher.events.filter(({ event }) => event === 'streamMuteForced')).toHaveLength(1);
    late.drop();
  });

  it('plays tones to the telephones that are there', async () => {
    await sdk.dtmf(sessionId, '0123456789*#p');
  });

  it('disconnects a client, which is told why', async () => {
    const guest = await join(apiKey, sessionId, sdk.token(sessionId, { role: 'publisher' }));
    const { connectionId } = guest.joined.connection;
    await sdk.disconnect(sessionId, connectionId);
    expect((await guest.event('sessionDisconnected')).reason).toBe('forceDisconnected');
    const gone = await publisher.event(
      'connectionDestroyed',
      (event) => event.connection.connectionId === connectionId,
    );
    expect(gone.reason).toBe('forceDisconnected');
    await expect(sdk.disconnect(sessionId, connectionId)).rejects.toBeDefined();
  });
});

describe('callbacks of the opentok package', () => {
  it('are registered, listed and taken away', async () => {
    const sdk = new OpenTok(SECRETS.apiKey, SECRETS.apiSecret, harness.url) as unknown as Record<
      'registerCallback' | 'listCallbacks' | 'unregisterCallback',
      (...args: unknown[]) => void
    >;
    const call = (name: keyof typeof sdk, ...args: unknown[]): Promise<unknown> =>
      promisify((done: (error: Error | null, value?: unknown) => void) => sdk[name](...args, done))();
    const options = { group: 'session', event: 'connectionCreated', url: 'http://127.0.0.1:9/hook' };
    const registered = (await call('registerCallback', options)) as { id: string };
    expect(registered).toMatchObject(options);
    expect(await call('listCallbacks')).toMatchObject([{ id: registered.id }]);
    await call('unregisterCallback', registered.id);
    expect(await call('listCallbacks')).toEqual([]);
    await expect(call('unregisterCallback', registered.id)).rejects.toBeDefined();
  });
});
