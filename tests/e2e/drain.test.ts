import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SessionLoad } from '../../bench/load/session-load.js';
import { startPeerPlatform, type PeerPlatform } from './support/peers.js';

// The short form of `npm run bench:drain`: transports under light load leave their node, and every packet is counted.

const TRANSPORTS = 20;
const SHAPE = { transports: TRANSPORTS, egress: 9, packetsPerSecond: 10, payloadBytes: 120 };

describe(`${TRANSPORTS} transports in two sessions on one node`, () => {
  let platform: PeerPlatform['platform'];
  let api: PeerPlatform['api'];
  let load: SessionLoad;

  beforeAll(async () => {
    ({ platform, api } = await startPeerPlatform(1));
    load = await SessionLoad.start(platform, api, SHAPE);
    await load.flowing();
  });

  afterAll(async () => {
    await load?.close();
    await platform?.stop();
  });

  it('are drained to another when theirs is asked to end: nothing is lost, no nonce used twice', async () => {
    platform.startNode();
    const [a = ''] = (await api.nodes()).map(({ id }) => id);
    await expect.poll(async () => (await api.nodes()).length, { timeout: 20_000 }).toBe(2);
    const node = platform.nodes[0];
    if (node === undefined) throw new Error('there is no node');
    const ended = once(node, 'exit');
    node.kill('SIGTERM');
    for (const peer of load.peers) {
      const isMoved = (): boolean => peer.moves.some(({ outcome }) => outcome === 'completed');
      await peer.until('its transport has moved', isMoved, 30_000);
    }
    expect(await ended).toEqual([0, null]);
    const { packets } = load.totals();
    const [first] = load.peers;
    await first?.until('media flows on', () => load.totals().packets > packets + 10 * TRANSPORTS);
    await first?.until('nothing is missing', () => load.totals().missing === 0);
    expect(load.totals()).toMatchObject({ lost: 0, reusedNonces: 0, unauthentic: 0 });
    expect(load.peers.map(({ isLost, rejoins }) => ({ isLost, rejoins }))).toEqual(
      load.peers.map(() => ({ isLost: false, rejoins: 0 })),
    );
    for (const { sessionId } of load.sessions)
      expect([...(await api.owners(sessionId)).values()]).not.toContain(a);
    expect(await guardRefusals()).toBe(0);
  });

  async function guardRefusals(): Promise<number> {
    const node = (await api.nodes()).find(({ state }) => state === 'inService') ?? (await api.nodes()).at(-1);
    const metrics = await (await fetch(`${node?.opsUrl ?? ''}/metrics`)).text();
    const value = /godwit_node_datapath\{counter="guard_refused"\} (\d+)/.exec(metrics)?.[1];
    if (value === undefined) throw new Error('the node tells nothing of its nonce guard');
    return Number(value);
  }
});
