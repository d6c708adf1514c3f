import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FakeNode } from './testing/fake-node.js';
import { Harness } from './testing/harness.js';

let harness: Harness;
let node: FakeNode;
beforeAll(async () => {
  harness = await Harness.start();
  node = await harness.node();
}, 60_000);
afterAll(() => harness.close());

describe('moderators', () => {
  it.each([
    ['forceDisconnect', 1520, { connectionId: 'x' }],
    ['forceUnpublish', 1530, { streamId: '0'.repeat(16) }],
    ['forceMuteStream', 1540, { streamId: '0'.repeat(16) }],
    ['forceMuteAll', 1540, { excludedStreamIds: [] }],
    ['disableForceMute', 1540, {}],
  ])('alone may %s', async (type, code, fields) => {
    const sessionId = await harness.session();
    for (const role of ['subscriber', 'publisher', 'publisheronly'] as const) {
      const client = await harness.join(sessionId, { role });
      await expect(client.request(type, fields)).rejects.toMatchObject({ code });
      client.drop();
    }
  });

  it('take a stream away: its publisher and its viewers are told, and its media stops', async () => {
    const sessionId = await harness.session();
    const publisher = await harness.join(sessionId);
    const moderator = await harness.join(sessionId, { role: 'moderator' });
    const { streamId, transportId } = await harness.publish(publisher, node);
    await moderator.request('forceUnpublish', { streamId });
    for (const client of [publisher, moderator])
      expect((await client.event('streamDestroyed')).reason).toBe('forceUnpublished');
    await expect
      .poll(() =>
        node
          .received('configureTransport')
          .filter((command) => command.transportId === transportId)
          .at(-1),
      )
      .toMatchObject({ media: { ingress: [] } });
    await expect(moderator.request('forceUnpublish', { streamId })).rejects.toMatchObject({ code: 1535 });
  });

  it('disconnect somebody, who cannot come back with what it had', async () => {
    const sessionId = await harness.session();
    const guest = await harness.join(sessionId);
    const moderator = await harness.join(sessionId, { role: 'moderator' });
    const { connectionId } = guest.joined.connection;
    await moderator.request('forceDisconnect', { connectionId });
    expect((await guest.event('sessionDisconnected')).reason).toBe('forceDisconnected');
    await guest.until(() => guest.closed !== null);
    const again = await import('./testing/fake-client.js').then(({ FakeClient }) =>
      FakeClient.open(harness.url),
    );
    const { resumeToken } = guest.joined;
    await expect(again.request('resume', { connectionId, resumeToken, lastSeq: 0 })).rejects.toMatchObject({
      code: 1010,
    });
    again.drop();
    await expect(moderator.request('forceDisconnect', { connectionId })).rejects.toMatchObject({
      code: 1011,
    });
  });

  it('mute all but some; who comes later is told, also after a restart of control', async () => {
    const sessionId = await harness.session();
    const [ada, bob] = [await harness.join(sessionId), await harness.join(sessionId)];
    const moderator = await harness.join(sessionId, { role: 'moderator' });
    const [first, second] = [await harness.publish(ada, node), await harness.publish(bob, node, 2_000)];
    await moderator.request('forceMuteAll', { excludedStreamIds: [second.streamId] });
    expect((await ada.event('streamMuteForced')).streamId).toBe(first.streamId);
    await bob.event('muteForced', ({ active }) => active);
    expect(bob.events.some(({ event }) => event === 'streamMuteForced')).toBe(false);
    expect((await harness.storage.sessions.get(sessionId))?.muteForced).toBe(true);
    expect((await harness.join(sessionId)).joined.muteForced).toBe(true);
    await moderator.request('disableForceMute');
    await bob.event('muteForced', ({ active }) => !active);
    expect((await harness.join(sessionId)).joined.muteForced).toBe(false);
  });
});
