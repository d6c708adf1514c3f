import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { NODE_PATH } from '@godwit/protocol';
import { NODES_UNREGISTERED_MAX } from './limits.js';
import { offerSdp } from './testing/fake-client.js';
import type { FakeNode } from './testing/fake-node.js';
import { Harness, SECRETS } from './testing/harness.js';

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
}, 60_000);
afterAll(() => harness.close());

async function stop(...nodes: FakeNode[]): Promise<void> {
  for (const node of nodes) node.stop();
  await Promise.all(nodes.map(({ ended }) => ended));
}

describe('registration', () => {
  it('tells every node of its peers, with the keys that they signed', async () => {
    const first = await harness.node();
    const second = await harness.node();
    await expect
      .poll(() =>
        first
          .received('setPeers')
          .at(-1)
          ?.peers.map(({ nodeId }) => nodeId),
      )
      .toEqual([second.nodeId]);
    await expect.poll(() => second.received('setPeers').at(-1)?.peers).toHaveLength(1);
    const [peer] = second.received('setPeers').at(-1)!.peers;
    expect(peer?.identityKey).toBe(
      first.identity.publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    );
    await stop(first, second);
  });

  it('is not open to more sockets at a time than a fleet has, so that nobody can fill the memory', async () => {
    const url = harness.url.replace('http', 'ws') + NODE_PATH;
    const open = Array.from({ length: NODES_UNREGISTERED_MAX }, () => new WebSocket(url));
    await Promise.all(open.map((socket) => once(socket, 'message')));
    const [refused] = (await once(new WebSocket(url), 'error')) as [Error];
    expect(refused.message).toContain('503');
    const closed = open.map((socket) => once(socket, 'close'));
    for (const socket of open) socket.terminate();
    await Promise.all(closed);
    const registers = async (): Promise<string> => {
      const node = await harness.node();
      await stop(node);
      return node.nodeId;
    };
    await expect.poll(registers).not.toBe('');
  });

  it.each(['joinProof', 'signature', 'linkKeySignature'] as const)(
    'refuses a node with a wrong %s',
    async (spoil) => {
      const node = await harness.node({ spoil });
      expect([node.nodeId, node.closeCode]).toEqual(['', 4401]);
    },
  );

  it('refuses a wrong join key', async () => {
    const stranger = await harness.node({ joinKey: 'another-join-key' });
    expect(stranger.closeCode).toBe(4401);
  });

  // Control ends while a node owns nothing, and forgets it; a newcomer gets its id before it is back.
  it('gives another identity that asks for a pinned id one of its own', async () => {
    const known = await harness.node();
    const other = await harness.node({ nodeId: known.nodeId });
    expect(other.closeCode).toBeNull();
    expect(other.nodeId).not.toBe(known.nodeId);
    expect(known.closeCode).toBeNull();
    await stop(known);
    await stop(other);
  });

  it('lets a second socket of the same identity replace the first', async () => {
    const first = await harness.node();
    const again = await harness.node({ identity: first.identity });
    expect(again.nodeId).toBe(first.nodeId);
    await first.ended;
    expect([first.closeCode, again.closeCode]).toEqual([4409, null]);
    await stop(again);
  });

  it('closes a node that sends what is no message, and keeps its calls', async () => {
    const node = await harness.node();
    const client = await harness.join(await harness.session());
    await harness.publish(client, node);
    node.sendText('{"event":"nonsense"}');
    await node.ended;
    expect(node.closeCode).toBe(4400);
    await expect(client.request('ping')).resolves.toEqual({});
    expect(client.events.some(({ event }) => event === 'sessionDisconnected')).toBe(false);
  });
});

describe('a node that stays away', () => {
  it('is shown as unreachable, and forgotten after a while unless it owns something', async () => {
    const [idle, owner] = [await harness.node(), await harness.node()];
    const sessionId = await harness.session();
    await harness.storage.sessions.setHomeNode(sessionId, owner.nodeId);
    await harness.publish(await harness.join(sessionId), owner);
    await stop(idle, owner);
    const states = async (): Promise<Record<string, string>> => {
      const headers = { authorization: `Bearer ${SECRETS.adminToken}` };
      const answer = await fetch(`${harness.url}/admin/v1/nodes`, { headers });
      const { items } = (await answer.json()) as { items: { id: string; state: string }[] };
      return Object.fromEntries(items.map(({ id, state }) => [id, state]));
    };
    await expect.poll(states).toMatchObject({ [idle.nodeId]: 'unreachable', [owner.nodeId]: 'unreachable' });
    harness.clock.offsetMs = 120_000;
    await expect.poll(async () => idle.nodeId in (await states()), { timeout: 5_000 }).toBe(false);
    expect(await states()).toMatchObject({ [owner.nodeId]: 'unreachable' });
    harness.clock.offsetMs = 0;
  });
});

describe('a node that comes back', () => {
  it('keeps the transports that control knows by their epoch, and closes the others', async () => {
    const node = await harness.node();
    const client = await harness.join(await harness.session());
    const { transportId, streamId } = await harness.publish(client, node);
    node.stop();
    await node.ended;
    const stray = 'feedfeedfeedfeed';
    const transports = [
      { transportId, epoch: 1 },
      { transportId: stray, epoch: 4 },
    ];
    const back = await harness.node({ identity: node.identity, transports });
    await expect.poll(() => back.received('closeTransport')).toMatchObject([{ transportId: stray }]);
    await expect
      .poll(() => back.received('configureTransport').at(-1))
      .toMatchObject({ transportId, epoch: 1 });
    expect(back.received('setStreams')[0]?.streams).toMatchObject([{ streamId, ingressNodeId: back.nodeId }]);
    expect(client.closed).toBeNull();
    await stop(back);
  });

  // The handshake ended while control was away, or the event was on a socket that had died already.
  it.each([
    ['that it says is over', true],
    ['that is under way', false],
    ['of which it says nothing, because it is older', undefined],
  ])('makes good a lost word of a handshake %s', async (_case, connected) => {
    const node = await harness.node();
    const sessionId = await harness.session();
    const [client, other] = [await harness.join(sessionId), await harness.join(sessionId)];
    const { streamId } = await client.request<{ streamId: string }>('createStream', {
      name: 'camera',
      hasAudio: true,
      hasVideo: false,
      videoDimensions: { width: 640, height: 480 },
      videoType: 'camera',
    });
    await client.request('offer', {
      sdp: offerSdp([{ mid: '0', kind: 'audio', direction: 'sendonly', ssrc: 1_000 }]),
      publications: [{ streamId, audioMid: '0' }],
      subscriptions: [],
    });
    const { transportId } = node.received('createTransport').at(-1)!;
    const row = () => harness.storage.transports.get(transportId);
    expect(await row()).toMatchObject({ connected: false });
    await stop(node);
    const transports = [{ transportId, epoch: 1, ...(connected === undefined ? {} : { connected }) }];
    const back = await harness.node({ identity: node.identity, transports });
    await expect.poll(() => back.received('configureTransport')).toHaveLength(1);
    if (connected === true) {
      await other.event('streamCreated', ({ stream }) => stream.streamId === streamId);
      await expect.poll(row).toMatchObject({ connected: true });
    } else {
      expect(await row()).toMatchObject({ connected: false });
    }
    await stop(back);
  });

  // A move to it ended between its report and the end of its registration.
  it('keeps a transport that came to it after it had said what it runs', async () => {
    const node = await harness.node();
    const client = await harness.join(await harness.session());
    const { transportId } = await harness.publish(client, node);
    await stop(node);
    const script = { configureTransport: () => ({}) };
    const back = await harness.node({ identity: node.identity, script });
    await expect.poll(() => back.received('configureTransport')).toHaveLength(2);
    expect(back.received('configureTransport').at(-1)).toMatchObject({ transportId, epoch: 1 });
    await client.request('ping');
    expect(client.events.some(({ event }) => event === 'transportLost')).toBe(false);
    await stop(back);
  });

  it('asks the clients whose transports it has lost for other ones', async () => {
    const node = await harness.node();
    const client = await harness.join(await harness.session());
    await harness.publish(client, node);
    node.stop();
    await node.ended;
    const back = await harness.node({ identity: node.identity });
    await client.event('transportLost');
    expect(client.closed).toBeNull();
    await stop(back);
  });
});
