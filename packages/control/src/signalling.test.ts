import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SDP_CHARS_MAX, SIGNALLING_MESSAGE_BYTES_MAX } from '@godwit/protocol';
import { within } from './deadline.js';
import { SIGNALLING_BURST_MESSAGES } from './limits.js';
import { FakeClient, offerSdp, type ConnectResult, type OfferResult } from './testing/fake-client.js';
import { Refusal, type FakeNode } from './testing/fake-node.js';
import { Harness } from './testing/harness.js';

const RESUME_GRACE_MS = 400;
let harness: Harness;
let node: FakeNode;

beforeAll(async () => {
  harness = await Harness.start({ timings: { resumeGraceMs: RESUME_GRACE_MS } });
  node = await harness.node();
}, 60_000);
afterAll(async () => {
  node.stop();
  await harness.close();
});

const subscribeOffer = (streamId: string, codecs = ['VP8']): object => ({
  sdp: offerSdp([
    { mid: 'a', kind: 'audio', direction: 'recvonly' },
    { mid: 'v', kind: 'video', direction: 'recvonly', codecs },
  ]),
  publications: [],
  subscriptions: [{ streamId, audioMid: 'a', videoMid: 'v' }],
});

describe('the roster', () => {
  it('shows everybody to who joins, and who joins to everybody, in order', async () => {
    const sessionId = await harness.session();
    const first = await harness.join(sessionId, { data: 'first' });
    const second = await harness.join(sessionId);
    expect(second.joined.connections).toMatchObject([
      { connectionId: first.joined.connection.connectionId, data: 'first' },
    ]);
    await first.event('connectionCreated');
    await second.request('disconnect');
    const gone = await first.event('connectionDestroyed');
    expect(gone).toMatchObject({ reason: 'clientDisconnected', connection: second.joined.connection });
    expect(first.events.map(({ seq }) => seq)).toEqual([1, 2]);
    await second.until(() => second.closed !== null);
  });

  it('tells of a stream only once its transport is connected and the node is configured', async () => {
    const sessionId = await harness.session();
    const [publisher, viewer] = [await harness.join(sessionId), await harness.join(sessionId)];
    const { streamId } = await publisher.request<{ streamId: string }>('createStream', {
      name: 'desk',
      hasAudio: false,
      hasVideo: true,
      videoDimensions: { width: 1, height: 1 },
    });
    await publisher.request('offer', {
      sdp: offerSdp([{ mid: '0', kind: 'video', direction: 'sendonly' }]),
      publications: [{ streamId, videoMid: '0' }],
      subscriptions: [],
    });
    await viewer.request('ping');
    expect(viewer.events.some(({ event }) => event === 'streamCreated')).toBe(false);
    const early = await viewer.request<OfferResult>('offer', subscribeOffer(streamId));
    expect(early.refused.map(({ name }) => name)).toEqual(['OT_STREAM_NOT_FOUND', 'OT_STREAM_NOT_FOUND']);
    const { transportId } = node.received('createTransport').at(-2)!;
    node.send({ event: 'transportConnected', transportId, epoch: 1 });
    const created = await viewer.event('streamCreated');
    expect(created.stream).toMatchObject({ streamId, name: 'desk', connection: publisher.joined.connection });
    await publisher.request('updateStream', { streamId, hasAudio: true });
    expect(await viewer.event('streamPropertyChanged')).toMatchObject({
      changedProperty: 'hasAudio',
      oldValue: false,
      newValue: true,
    });
    await publisher.request('destroyStream', { streamId });
    expect(await viewer.event('streamDestroyed')).toMatchObject({ streamId, reason: 'clientDisconnected' });
    expect(node.received('setStreams').at(-1)?.streams).toMatchObject([
      { streamId, ingressNodeId: '', consumerNodeIds: [] },
    ]);
  });

  it('gives a subscriber its own numbers and the route before the rule', async () => {
    const sessionId = await harness.session();
    const publisher = await harness.join(sessionId);
    const { streamId } = await harness.publish(publisher, node);
    const viewer = await harness.join(sessionId);
    expect(viewer.joined.streams).toMatchObject([{ streamId }]);
    const answer = await viewer.request<OfferResult>('offer', subscribeOffer(streamId));
    expect(answer.refused).toEqual([]);
    const { media } = node.received('configureTransport').at(-1)!;
    expect(media.egress).toMatchObject([
      {
        streamId,
        encodingId: 0,
        kind: 'audio',
        mid: 'a',
        payloadTypes: [{ from: 111, to: 111 }],
        enabled: true,
      },
      {
        streamId,
        encodingId: 1,
        kind: 'video',
        mid: 'v',
        payloadTypes: [{ from: 96, to: 96, rtx: 97 }],
        transportCcId: 3,
      },
    ]);
    for (const { ssrc } of media.egress) expect(answer.sdp).toContain(`a=ssrc:${ssrc} cname:${streamId}`);
    const types = node.commands.map(({ type }) => type);
    expect(types.lastIndexOf('setStreams')).toBeLessThan(types.lastIndexOf('configureTransport'));
    await viewer.request('updateSubscription', { streamId, video: false });
    await expect
      .poll(() =>
        node
          .received('configureTransport')
          .at(-1)!
          .media.egress.map(({ enabled }) => enabled),
      )
      .toEqual([true, false]);
  });

  it('refuses the m-line whose codec the publisher does not send, by name, and serves the other', async () => {
    const sessionId = await harness.session();
    const { streamId } = await harness.publish(await harness.join(sessionId), node);
    const viewer = await harness.join(sessionId);
    const answer = await viewer.request<OfferResult>('offer', subscribeOffer(streamId, ['AV1']));
    expect(answer.refused).toMatchObject([{ streamId, mid: 'v', name: 'OT_CODEC_NOT_SUPPORTED' }]);
    expect(node.received('configureTransport').at(-1)!.media.egress).toMatchObject([{ kind: 'audio' }]);
  });

  it('goes back when the node does not take an offer: the next one may use other mids, and never the same SSRC', async () => {
    const sessionId = await harness.session();
    const { streamId } = await harness.publish(await harness.join(sessionId), node);
    const viewer = await harness.join(sessionId);
    const offer = (
      mids: readonly [string, string],
      ice?: { ufrag: string; pwd: string },
    ): Promise<OfferResult> => {
      const [audioMid, videoMid] = mids;
      const sections = [
        { mid: 'kept', kind: 'video', direction: 'inactive' },
        { mid: audioMid, kind: 'audio', direction: 'recvonly' },
        { mid: videoMid, kind: 'video', direction: 'recvonly' },
      ] as const;
      const subscriptions = [{ streamId, audioMid, videoMid }];
      return viewer.request<OfferResult>('offer', {
        sdp: offerSdp(sections, ice),
        publications: [],
        subscriptions,
      });
    };
    const inactive = offerSdp([{ mid: 'kept', kind: 'video', direction: 'inactive' }]);
    await viewer.request('offer', { sdp: inactive, publications: [], subscriptions: [] });
    node.script.configureTransport = () => {
      delete node.script.configureTransport;
      throw new Refusal('internal');
    };
    await expect(offer(['0', '1'])).rejects.toMatchObject({ name: 'OT_ICE_WORKFLOW_FAILED' });
    const failed = node
      .received('configureTransport')
      .findLast(({ media }) => media.egress.length > 0)!
      .media.egress.map(({ ssrc }) => ssrc);
    expect(failed).toHaveLength(2);
    // Control brings the node back to what was agreed before.
    await expect.poll(() => node.received('configureTransport').at(-1)!.media.egress).toEqual([]);
    expect((await offer(['2', '3'])).refused).toEqual([]);
    const { egress } = node.received('configureTransport').at(-1)!.media;
    expect(egress.map(({ mid }) => mid)).toEqual(['2', '3']);
    for (const { ssrc } of egress) expect(failed).not.toContain(ssrc);
  });

  it('takes a transport back whose first offer failed: the client comes again with other credentials', async () => {
    const viewer = await harness.join(await harness.session());
    const sdp = (mid: string, ufrag: string): string =>
      offerSdp([{ mid, kind: 'video', direction: 'inactive' }], { ufrag, pwd: 'c'.repeat(24) });
    node.script.configureTransport = () => {
      throw new Refusal('internal');
    };
    const first = viewer.request('offer', { sdp: sdp('0', 'one1'), publications: [], subscriptions: [] });
    await expect(first).rejects.toMatchObject({ name: 'OT_ICE_WORKFLOW_FAILED' });
    delete node.script.configureTransport;
    const { transportId } = node.received('createTransport').at(-1)!;
    await expect.poll(() => node.received('closeTransport').at(-1)).toMatchObject({ transportId });
    expect((await harness.storage.transports.get(transportId))?.endedAtMs).not.toBeNull();
    await viewer.request('offer', { sdp: sdp('1', 'two2'), publications: [], subscriptions: [] });
    expect(node.received('createTransport').at(-1)!.transportId).not.toBe(transportId);
  });

  it('subscribes anew to all of a stream, whatever was wanted of it before', async () => {
    const sessionId = await harness.session();
    const { streamId } = await harness.publish(await harness.join(sessionId), node);
    const viewer = await harness.join(sessionId);
    await viewer.request('offer', subscribeOffer(streamId));
    await viewer.request('updateSubscription', { streamId, video: false });
    const inactive = offerSdp([
      { mid: 'a', kind: 'audio', direction: 'inactive' },
      { mid: 'v', kind: 'video', direction: 'inactive' },
    ]);
    await viewer.request('offer', { sdp: inactive, publications: [], subscriptions: [] });
    await viewer.request('offer', subscribeOffer(streamId));
    const { egress } = node.received('configureTransport').at(-1)!.media;
    expect(egress.map(({ enabled }) => enabled)).toEqual([true, true]);
  });

  it('delivers signals to all or to one, with their sender', async () => {
    const sessionId = await harness.session();
    const [one, two, three] = [
      await harness.join(sessionId),
      await harness.join(sessionId),
      await harness.join(sessionId),
    ];
    await one.request('signal', {
      signalType: 'chat',
      data: 'hello',
      to: two.joined.connection.connectionId,
    });
    expect(await two.event('signal')).toMatchObject({
      signalType: 'chat',
      data: 'hello',
      from: one.joined.connection,
    });
    await one.request('signal', { data: 'all' });
    expect(await three.event('signal')).toMatchObject({ data: 'all' });
    expect(three.events.filter(({ event }) => event === 'signal')).toHaveLength(1);
    await expect(one.request('signal', { data: 'x', to: 'nobody' })).rejects.toMatchObject({ code: 1510 });
    await expect(one.request('signal', { data: 'é'.repeat(5_000) })).rejects.toMatchObject({ code: 1510 });
  });
});

describe('roles on the wire', () => {
  it('a subscriber may neither publish nor signal; who may only publish may not subscribe', async () => {
    const sessionId = await harness.session();
    const { streamId } = await harness.publish(await harness.join(sessionId), node);
    const subscriber = await harness.join(sessionId, { role: 'subscriber' });
    const stream = { name: '', hasAudio: true, hasVideo: false, videoDimensions: { width: 0, height: 0 } };
    await expect(subscriber.request('createStream', stream)).rejects.toMatchObject({
      code: 1500,
      name: 'OT_PERMISSION_DENIED',
    });
    await expect(subscriber.request('signal', { data: '' })).rejects.toMatchObject({ code: 1510 });
    await expect(subscriber.request('offer', subscribeOffer(streamId))).resolves.toMatchObject({
      refused: [],
    });
    const only = await harness.join(sessionId, { role: 'publisheronly' });
    await expect(only.request('offer', subscribeOffer(streamId))).rejects.toMatchObject({ code: 1500 });
    await expect(only.request('createStream', stream)).resolves.toMatchObject({
      streamId: expect.any(String) as unknown,
    });
  });

  it('nobody publishes, changes or ends the stream of another', async () => {
    const sessionId = await harness.session();
    const { streamId } = await harness.publish(await harness.join(sessionId), node);
    const other = await harness.join(sessionId);
    await expect(other.request('destroyStream', { streamId })).rejects.toMatchObject({ code: 1604 });
    await expect(other.request('updateStream', { streamId, hasAudio: false })).rejects.toMatchObject({
      code: 1604,
    });
    const answer = await other.request<OfferResult>('offer', {
      sdp: offerSdp([{ mid: '0', kind: 'audio', direction: 'sendonly' }]),
      publications: [{ streamId, audioMid: '0' }],
      subscriptions: [],
    });
    expect(answer.refused).toMatchObject([{ name: 'OT_STREAM_NOT_FOUND' }]);
    expect(node.received('configureTransport').at(-1)!.media.ingress).toEqual([]);
  });
});

describe('a broken socket', () => {
  it('resumes with what was missed, under the same connection', async () => {
    const sessionId = await harness.session();
    const [one, two] = [await harness.join(sessionId), await harness.join(sessionId)];
    await one.event('connectionCreated');
    one.drop();
    await two.request('signal', { data: 'while away' });
    const again = await FakeClient.open(harness.url);
    const { connection, resumeToken } = one.joined;
    const fields = { connectionId: connection.connectionId, resumeToken, lastSeq: 1 };
    const result = await again.request<ConnectResult>('resume', fields);
    expect(result).toMatchObject({ resumed: true, connection, seq: 1 });
    expect(await again.event('signal')).toMatchObject({ data: 'while away', seq: 2 });
    expect(two.events.some(({ event }) => event === 'connectionDestroyed')).toBe(false);
    // Longer than the grace: the connection is still there because it resumed.
    await new Promise((resolve) => setTimeout(resolve, RESUME_GRACE_MS * 1.5));
    await expect(again.request('ping')).resolves.toEqual({});
  });

  it('is no reason to do anything twice: repeated requests get the answer that was lost', async () => {
    const sessionId = await harness.session();
    const [one, two] = [await harness.join(sessionId), await harness.join(sessionId)];
    const stream = { name: '', hasAudio: true, hasVideo: false, videoDimensions: { width: 0, height: 0 } };
    await one.request('signal', { data: 'hello' }, 9_001);
    const made = await one.request('createStream', stream, 9_002);
    one.drop();
    const again = await FakeClient.open(harness.url);
    const { connection, resumeToken } = one.joined;
    await again.request('resume', { connectionId: connection.connectionId, resumeToken, lastSeq: 0 });
    await again.request('signal', { data: 'hello' }, 9_001);
    expect(await again.request('createStream', stream, 9_002)).toEqual(made);
    await again.request('signal', { data: 'last' });
    await two.event('signal', ({ data }) => data === 'last');
    expect(two.events.filter(({ event }) => event === 'signal')).toHaveLength(2);
  });

  it('ends after the grace with networkDisconnected, and its transport is closed', async () => {
    const sessionId = await harness.session();
    const [one, two] = [await harness.join(sessionId), await harness.join(sessionId)];
    const { transportId, streamId } = await harness.publish(one, node);
    one.drop();
    expect(await two.event('connectionDestroyed')).toMatchObject({ reason: 'networkDisconnected' });
    expect(await two.event('streamDestroyed')).toMatchObject({ streamId, reason: 'networkDisconnected' });
    await expect.poll(() => node.received('closeTransport').at(-1)).toMatchObject({ transportId, epoch: 1 });
  });

  it('does not resume without the secret of its own, and answers a whole roster when too much was missed', async () => {
    const sessionId = await harness.session();
    const one = await harness.join(sessionId);
    const { connectionId } = one.joined.connection;
    one.drop();
    const thief = await FakeClient.open(harness.url);
    const guess = { connectionId, resumeToken: 'guess', lastSeq: 0 };
    await expect(thief.request('resume', guess)).rejects.toMatchObject({ code: 1010 });
    const again = await FakeClient.open(harness.url);
    const { resumeToken } = one.joined;
    const result = await again.request<ConnectResult>('resume', { connectionId, resumeToken, lastSeq: 999 });
    expect(result).toMatchObject({ resumed: false, connection: { connectionId }, seq: 999 });
  });
});

describe('the end of control', () => {
  it('does not wait for clients that are silent', async () => {
    const ending = await Harness.start();
    const { hostname, port } = new URL(ending.url);
    const silent = connect(Number(port), hostname);
    const upgrade = ['Host: x', 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13'];
    const head = ['GET /v1/signalling HTTP/1.1', ...upgrade, `Sec-WebSocket-Key: ${'A'.repeat(22)}==`];
    silent.write(`${head.join('\r\n')}\r\n\r\n`);
    await once(silent, 'data');
    // ws itself would give it 30 s to answer the close.
    await expect(within(ending.close(), 8_000, 'late')).resolves.toBeUndefined();
    silent.destroy();
  }, 20_000);
});

describe('bad input', () => {
  it('gets one clear error each, and nobody else notices', async () => {
    const sessionId = await harness.session();
    const [good, bad] = [await harness.join(sessionId), await harness.join(sessionId)];
    await good.event('connectionCreated');
    const before = good.events.length;
    for (const [message, said] of [
      ['{"id":1,', 'not JSON'],
      [Buffer.from([1, 2, 3]), 'not JSON'],
      ['null', 'cannot be used'],
      ['[]', 'cannot be used'],
      ['{"id":907,"type":"explode"}', 'type'],
      ['{"id":908,"type":"signal","data":7}', 'data'],
      ['{"id":-1,"type":"ping"}', 'id'],
      [
        `{"id":909,"type":"offer","sdp":"${'x'.repeat(SDP_CHARS_MAX + 1)}","publications":[],"subscriptions":[]}`,
        'sdp',
      ],
    ] as const) {
      const count = bad.replies.length;
      bad.sendRaw(message);
      await bad.until(() => bad.replies.length > count);
      const reply = bad.replies.at(-1);
      expect(reply).toMatchObject({
        ok: false,
        error: { code: 1011, message: expect.stringContaining(said) as unknown },
      });
    }
    for (const sdp of [
      '',
      'v=0',
      'hello',
      offerSdp([{ mid: '0', kind: 'audio', direction: 'sendonly' }]).replace(/a=ice-ufrag.*\r\n/, ''),
    ]) {
      const refused = bad.request('offer', { sdp, publications: [], subscriptions: [] });
      await expect(refused).rejects.toMatchObject({
        code: 1011,
        message: expect.stringContaining('The offer cannot be used') as unknown,
      });
    }
    await expect(bad.request('restartAnswer', { restartId: '0'.repeat(16), sdp: '' })).rejects.toMatchObject({
      code: 1011,
    });
    await expect(
      bad.request('connect', {
        apiKey: '',
        sessionId: '',
        token: '',
        sdkVersion: '',
        sessionMigration: false,
        pathMethod: 'restart',
      }),
    ).rejects.toMatchObject({ code: 1011 });
    await expect(bad.request('ping')).resolves.toEqual({});
    expect(good.events).toHaveLength(before);
    await expect(good.request('ping')).resolves.toEqual({});
  });

  it('closes a socket that sends more than a message may hold, with 1009 and the reason', async () => {
    const sessionId = await harness.session();
    for (const size of [SIGNALLING_MESSAGE_BYTES_MAX + 1, SIGNALLING_MESSAGE_BYTES_MAX * 2]) {
      const client = await harness.join(sessionId);
      client.sendRaw('x'.repeat(size));
      await client.until(() => client.closed !== null);
      expect(client.closed?.code).toBe(1009);
      if (size === SIGNALLING_MESSAGE_BYTES_MAX + 1) expect(client.closed?.reason).toContain('at most');
    }
  });

  it('slows down who floods, and closes who goes on', async () => {
    const client = await harness.join(await harness.session());
    for (let count = 0; count < SIGNALLING_BURST_MESSAGES * 2; count++)
      client.sendRaw(`{"id":${count},"type":"ping"}`);
    await client.until(() => client.closed !== null);
    expect(client.closed?.code).toBe(1008);
    const refused = client.replies.filter((reply) => !reply.ok);
    expect(refused[0]).toMatchObject({ error: { name: 'OT_TOO_MANY_REQUESTS' } });
  });

  it('says no to whatever comes before connect, and to paths that are none', async () => {
    const client = await FakeClient.open(harness.url);
    await expect(client.request('ping')).rejects.toMatchObject({ code: 1010, name: 'OT_NOT_CONNECTED' });
    const foreign = {
      apiKey: 'other',
      sessionId: 's',
      token: 't',
      sdkVersion: '',
      sessionMigration: false,
      pathMethod: 'candidate',
    };
    await expect(client.request('connect', foreign)).rejects.toMatchObject({ code: 1004 });
    client.drop();
    await expect(FakeClient.open(`${harness.url}/elsewhere`)).rejects.toThrow('404');
  });
});
