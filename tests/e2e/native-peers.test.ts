import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Peer } from '@godwit/testing';
import { startPeerPlatform, type PeerPlatform } from './support/peers.js';

// Peers without a browser: real signalling, ICE, DTLS and SRTP in this process, so that every packet can be counted.

const PEERS = 3;

describe('three native peers in a session', () => {
  let stage: PeerPlatform;
  let api: PeerPlatform['api'];
  let sessionId: string;
  const peers: Peer[] = [];

  beforeAll(async () => {
    stage = await startPeerPlatform();
    api = stage.api;
    sessionId = await api.createSession();
  });

  afterAll(async () => {
    await Promise.all(peers.map((peer) => peer.close()));
    await stage?.platform.stop();
  });

  async function joinOne(pathMethod: 'candidate' | 'restart'): Promise<Peer> {
    const peer = await stage.join(sessionId, { pathMethod });
    peers.push(peer);
    await peer.publish({ audio: true, video: true });
    await peer.subscribeAll();
    return peer;
  }

  const received = (): ReturnType<Peer['received']> => peers.flatMap((peer) => peer.received());
  const totals = (): Record<'packets' | 'lost' | 'missing' | 'reusedNonces', number> => {
    const sum = { packets: 0, lost: 0, missing: 0, reusedNonces: 0 };
    for (const report of received()) {
      for (const key of ['packets', 'lost', 'missing', 'reusedNonces'] as const) sum[key] += report[key];
    }
    return sum;
  };

  it('receive each other', { timeout: 30_000 }, async () => {
    for (let number = 0; number < PEERS; number++) await joinOne(number === 0 ? 'restart' : 'candidate');
    for (const peer of peers) {
      await peer.until('every track flows', () => {
        const tracks = peer.received();
        return tracks.length === (PEERS - 1) * 2 && tracks.every(({ packets }) => packets > 50);
      });
    }
    expect(totals()).toMatchObject({ lost: 0, reusedNonces: 0 });
    expect(peers.map(({ transport }) => transport.authenticationFailures)).toEqual(peers.map(() => 0));
  });

  it('lose nothing when the session moves to and fro', { timeout: 60_000 }, async () => {
    for (let move = 0; move < 4; move++) {
      const before = new Set((await api.owners(sessionId)).values());
      const packets = totals().packets;
      const { status, body } = await api.migrate(sessionId);
      expect(status).toBe(200);
      const migration = await api.migrated(sessionId, String(body['id']));
      expect(migration.status, JSON.stringify(migration)).toBe('completed');
      const after = new Set((await api.owners(sessionId)).values());
      expect(after.size).toBe(1);
      expect([...after]).not.toEqual([...before]);
      for (const peer of peers) {
        await peer.until('it heard of the end', () => peer.moves.every(({ endedMs }) => endedMs !== null));
        expect(peer.moves.at(-1)).toMatchObject({ outcome: 'completed', nodeId: [...after][0] });
        expect(peer.isLost).toBe(false);
      }
      await peers[0]?.until('media flows on', () => totals().packets > packets + 500);
    }
    await peers[0]?.until('no packet is missing', () => totals().missing === 0);
    expect(totals()).toMatchObject({ lost: 0, reusedNonces: 0 });
  });

  it('recycle m-lines, and leave', { timeout: 30_000 }, async () => {
    const [first, second, third] = peers as [Peer, Peer, Peer];
    const [stream] = second.streams.filter(
      ({ connection }) => connection.connectionId === first.connectionId,
    );
    await first.unpublish(stream?.streamId ?? '');
    await second.until('the stream is gone', () => second.streams.length === 1);
    const streamId = await first.publish({ audio: { packetsPerSecond: 100 } });
    for (const peer of [second, third]) {
      await peer.until('the new stream flows', () =>
        peer.received(streamId).some(({ packets }) => packets > 20),
      );
      expect(peer.received(streamId)).toMatchObject([{ kind: 'audio', lost: 0 }]);
    }
    await third.close();
    peers.splice(peers.indexOf(third), 1);
    await second.until('it has left', () => second.streams.length === 1);
  });

  it('meet again on the other node when theirs is killed', { timeout: 30_000 }, async () => {
    const owners = new Set((await api.owners(sessionId)).values());
    const node = (await api.nodes()).find(({ id }) => owners.has(id));
    process.kill(node?.pid ?? 0, 'SIGKILL');
    for (const peer of peers) {
      await peer.until('it is on another transport', () => peer.rejoins === 1, 20_000);
      await peer.until('media flows', () => peer.received().some(({ packets }) => packets > 50));
      expect(peer.isLost).toBe(false);
    }
  });
});
