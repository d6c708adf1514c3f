import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { openMemoryStorage } from '@godwit/storage';
import { deferred, type Deferred } from '../deadline.js';
import { offerSdp, type FakeClient } from '../testing/fake-client.js';
import type { FakeNode } from '../testing/fake-node.js';
import { Harness } from '../testing/harness.js';

let harness: Harness;
let node: FakeNode;
/** Writing that a stream is published, held and asked for. */
let writing: Deferred<void>;
let asked: Deferred<void>;

beforeAll(async () => {
  const storage = await openMemoryStorage();
  const publish: typeof storage.streams.publish = async (...stream) => {
    asked.resolve();
    await writing.promise;
    return storage.streams.publish(...stream);
  };
  harness = await Harness.start({ storage: { ...storage, streams: { ...storage.streams, publish } } });
}, 60_000);
afterAll(() => harness.close());
beforeEach(async () => {
  writing = deferred<void>();
  asked = deferred<void>();
  node = await harness.node();
});
afterEach(async () => {
  node.stop();
  await node.ended;
});

/** Offers two streams and lets the node report the handshake: the first is told of, and the writing of that is held. */
async function publishTwo(client: FakeClient): Promise<string[]> {
  const publications: { streamId: string; audioMid: string }[] = [];
  for (const audioMid of ['0', '1']) {
    const { streamId } = await client.request<{ streamId: string }>('createStream', {
      name: 'microphone',
      hasAudio: true,
      hasVideo: false,
      videoDimensions: { width: 0, height: 0 },
      videoType: 'camera',
    });
    publications.push({ streamId, audioMid });
  }
  const sections = publications.map(
    ({ audioMid: mid }) =>
      ({ mid, kind: 'audio', direction: 'sendonly', ssrc: 1_000 + Number(mid) }) as const,
  );
  await client.request('offer', { sdp: offerSdp(sections), publications, subscriptions: [] });
  const { transportId, epoch } = node.received('createTransport').at(-1)!;
  node.send({ event: 'transportConnected', transportId, epoch });
  await asked.promise;
  return publications.map(({ streamId }) => streamId);
}

const told = ({ events }: FakeClient): string[] =>
  events.flatMap((event) => (event.event === 'streamCreated' ? [event.stream.streamId] : []));

it.each([
  ['ended', (client: FakeClient, _streamId: string) => client.request('disconnect')],
  ['unpublished it', (client: FakeClient, streamId: string) => client.request('destroyStream', { streamId })],
])(
  'does not tell of a stream whose connection has %s meanwhile: nobody would tell of its end',
  async (_case, leave) => {
    const sessionId = await harness.session();
    const [client, other] = [await harness.join(sessionId), await harness.join(sessionId)];
    const [first, second] = await publishTwo(client);
    await leave(client, second!);
    writing.resolve();
    await expect
      .poll(async () => (await harness.storage.streams.listLive()).some((row) => row.streamId === second))
      .toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await other.request('ping');
    expect(told(other)).toEqual([first]);
  },
);
