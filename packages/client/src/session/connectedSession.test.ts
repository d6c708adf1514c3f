import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OT } from '../ot.js';
import { FakeCall } from '../testing/fakeCall.js';
import { settle } from '../testing/fakePlatform.js';
import type { Session } from './session.js';
import type { SessionEvents } from './sessionEvents.js';

const STREAM_ID = 'a'.repeat(16);
const other = { connectionId: 'other', creationTime: 1, data: 'Bob' };
const theirs = {
  streamId: STREAM_ID,
  connection: other,
  creationTime: 1,
  name: 'Bob',
  hasAudio: true,
  hasVideo: true,
  hasCaptions: false,
  videoDimensions: { width: 640, height: 480 },
};

let call: FakeCall;
beforeEach(() => {
  call = new FakeCall().install();
});

let session: Session | undefined;
afterEach(async () => {
  await session?.disconnect();
  session = undefined;
  vi.unstubAllGlobals();
});

async function connected(): Promise<{ session: Session; heard: string[] }> {
  const joined = (session = OT.initSession('key', 'session'));
  const heard: string[] = [];
  const names: (keyof SessionEvents)[] = [
    'sessionConnected',
    'sessionReconnecting',
    'sessionReconnected',
    'sessionDisconnected',
    'connectionCreated',
    'streamCreated',
    'streamDestroyed',
    'muteForced',
    'signal',
    'signal:chat',
  ];
  for (const name of names) joined.on(name, ({ type }) => heard.push(`${String(name)} ${type}`));
  await joined.connect.promise('token');
  await settle();
  return { session: joined, heard };
}

describe('a session', () => {
  it('that cannot be joined says why, and may be joined later', async () => {
    call.refuses.set('connect', { code: 1004, name: 'OT_AUTHENTICATION_ERROR', message: 'expired' });
    const refused = OT.initSession('key', 'session');
    await expect(refused.connect.promise('token')).rejects.toMatchObject({ code: 1004, message: 'expired' });
    call.refuses.clear();
    await refused.connect.promise('token');
    await expect(refused.connect.promise('token')).rejects.toMatchObject({ name: 'OT_CONNECT_FAILED' });
    await refused.disconnect();
  });

  it('announces itself and everybody who is there, a turn after the callback', async () => {
    call.roster = { connections: [other], streams: [theirs] };
    const { session, heard } = await connected();
    expect(heard).toEqual([
      'sessionConnected sessionConnected',
      'connectionCreated connectionCreated',
      'connectionCreated connectionCreated',
      'streamCreated streamCreated',
    ]);
    expect([session.isConnected(), session.connection?.connectionId]).toEqual([true, 'own']);
  });

  it('hands signals to the listeners of their type and of all', async () => {
    const { session, heard } = await connected();
    heard.length = 0;
    await call.tell({ event: 'signal', signalType: 'chat', data: 'hi', from: other });
    await call.tell({ event: 'signal', data: 'by the server' });
    expect(heard).toEqual(['signal signal:chat', 'signal:chat signal:chat', 'signal signal']);
    const done = vi.fn();
    session.signal({ type: 'chat', data: 'hi', to: other }, done);
    await settle();
    expect(call.asked('signal')).toMatchObject([{ signalType: 'chat', data: 'hi', to: 'other' }]);
    expect(done).toHaveBeenCalledWith(undefined, undefined);
  });

  it('whose socket breaks comes back with what waited, but for what must not wait', async () => {
    const { session, heard } = await connected();
    heard.length = 0;
    call.socket.break();
    const results: unknown[] = [];
    session.signal({ data: 'now', retryAfterReconnect: false }, (error) => results.push(error?.name));
    session.signal({ data: 'later' }, (error) => results.push(error ?? 'sent'));
    await vi.waitFor(() => expect(results).toHaveLength(2));
    expect(results).toEqual(['OT_NOT_CONNECTED', 'sent']);
    expect(call.asked('signal').map(({ data }) => data)).toEqual(['later']);
    expect(heard).toEqual([
      'sessionReconnecting sessionReconnecting',
      'sessionReconnected sessionReconnected',
    ]);
  });

  it('ends once, with everything in it', async () => {
    call.roster = { connections: [other], streams: [theirs] };
    const { session, heard } = await connected();
    const [stream] = [{ ...theirs, initials: '', frameRate: undefined, videoType: undefined }];
    const subscriber = await session.subscribe.promise(stream);
    const publisher = await session.publish.promise();
    const reasons: string[] = [];
    subscriber.on('destroyed', ({ reason }) => reasons.push(reason));
    publisher.on('streamDestroyed', ({ reason }) => reasons.push(reason));
    heard.length = 0;
    await call.tell({ event: 'sessionDisconnected', reason: 'forceDisconnected' });
    await session.disconnect();
    expect(heard).toEqual(['sessionDisconnected sessionDisconnected']);
    expect(reasons).toEqual(['forceDisconnected', 'forceDisconnected']);
    expect([publisher.session, session.connection, call.peers[0]?.connectionState]).toEqual([
      undefined,
      undefined,
      'closed',
    ]);
  });

  it('takes other ICE servers for the peer connection that is there', async () => {
    const { session } = await connected();
    await session.publish.promise();
    const customServers = [{ urls: 'turn:turn.test', username: 'a', credential: 'b' }];
    session.setIceConfig({ customServers, transportPolicy: 'relay' });
    expect(call.peers[0]?.configuration).toMatchObject({
      iceServers: customServers,
      iceTransportPolicy: 'relay',
      bundlePolicy: 'max-bundle',
    });
  });
});

describe('publishing', () => {
  it('is refused by role, and when the publisher is published already', async () => {
    const { session } = await connected();
    const publisher = await session.publish.promise();
    await expect(session.publish.promise(publisher)).rejects.toMatchObject({ code: 1011 });
    session.capabilities = { ...session.capabilities, publish: 0 };
    await expect(session.publish.promise()).rejects.toMatchObject({ code: 1500 });
  });

  it('starts with the sound off where everybody is muted, until it is turned on', async () => {
    call.roster = { muteForced: true };
    const { session } = await connected();
    const publisher = OT.initPublisher();
    await publisher.ready();
    let muted = 0;
    publisher.on('muteForced', () => (muted += 1));
    await session.publish.promise(publisher);
    expect(call.asked('createStream')).toMatchObject([{ hasAudio: false, hasVideo: true }]);
    publisher.publishAudio(true);
    await settle();
    expect(call.asked('updateStream')).toMatchObject([{ hasAudio: true }]);
    await call.tell({ event: 'streamMuteForced', streamId: '0'.repeat(16) });
    expect([muted, publisher.getAudioSource()?.enabled]).toEqual([2, false]);
  });

  it('goes on with another camera, and tells nobody', async () => {
    const { session } = await connected();
    const publisher = await session.publish.promise();
    const offers = call.asked('offer').length;
    await publisher.cycleVideo();
    const sender = call.peers[0]?.transceivers.find(({ kind }) => kind === 'video')?.sender;
    expect(sender?.track).toBe(publisher.getVideoSource().track);
    expect(call.asked('offer')).toHaveLength(offers);
    expect(call.asked('updateStream')).toEqual([]);
  });

  it('bounds the encoder, and the one of the next publication', async () => {
    const { session } = await connected();
    const publisher = await session.publish.promise(undefined, { maxVideoBitrate: 500_000 });
    publisher.on('streamDestroyed', (event) => event.preventDefault());
    await publisher.setVideoBitratePreset('extra_bw_saver');
    const sender = call.peers[0]?.transceivers.find(({ kind }) => kind === 'video')?.sender;
    expect(sender?.encodings).toEqual([{ maxBitrate: 215_040 }]);
    session.unpublish(publisher);
    await settle();
    await session.publish.promise(publisher);
    expect(sender?.encodings).toEqual([{ maxBitrate: 215_040 }]);
  });
});

it('subscribing to nothing is refused', async () => {
  const { session } = await connected();
  const nothing = undefined as unknown as Parameters<Session['subscribe']>[0];
  expect(() => session.subscribe(nothing)).toThrow(expect.objectContaining({ code: 1011 }));
});
