import { beforeEach, describe, expect, it } from 'vitest';
import { Refusal, type FakeNode } from '../testing/fake-node.js';
import type { Harness } from '../testing/harness.js';
import { useTwoNodes } from '../testing/two-nodes.js';

const scene = useTwoNodes();
let harness: Harness;
let a: FakeNode;
let b: FakeNode;
beforeEach(() => {
  ({ harness, a, b } = scene);
});

/** A publisher that has moved from a to b; b has not heard RELEASE. */
async function movedToB() {
  const { sessionId, transportId, client } = await scene.publishOnA();
  await harness.migrate(sessionId, { target: b.nodeId });
  const { moveId, epoch, returnEpoch } = a.received('startMove').at(-1)!;
  const ask = (): void => {
    b.send({
      event: 'releaseWanted',
      moveId,
      transportId,
      role: 'target',
      epoch,
      peerNodeId: a.nodeId,
    });
  };
  const owner = async () => {
    const row = await harness.storage.transports.get(transportId);
    return [row?.ownerNodeId, row?.epoch];
  };
  return { sessionId, transportId, client, moveId, epoch, returnEpoch, ask, owner };
}

/** As before, with both nodes away by the time control has decided for b. */
async function decidedWhileAway() {
  const moved = await movedToB();
  const decide = async (): Promise<void> => {
    a.stop();
    await a.ended;
    b.script.releaseMove = () => new Promise<never>(() => undefined);
    await expect
      .poll(() => {
        moved.ask();
        return b.received('releaseMove').length;
      })
      .toBeGreaterThan(0);
    b.stop();
    await b.ended;
  };
  return { ...moved, decide };
}

describe('an owner that only the other node of its move can set free', () => {
  it('goes on once that node has let go at control’s word, in the epoch that it has', async () => {
    const { moveId, transportId, epoch, ask, owner } = await movedToB();
    ask();
    await expect.poll(() => b.received('releaseMove')).toMatchObject([{ moveId, transportId, epoch }]);
    expect(a.received('tellMove')).toMatchObject([{ moveId, transportId, word: { kind: 'accepted' } }]);
    expect(await owner()).toEqual([b.nodeId, epoch]);
  });

  it('goes on in a new epoch once that node counts as dead', async () => {
    const { moveId, returnEpoch, ask, owner } = await movedToB();
    a.stop();
    await a.ended;
    await expect
      .poll(() => {
        ask();
        return b.received('releaseMove')[0];
      })
      .toMatchObject({ moveId, epoch: returnEpoch + 1 });
    expect(await owner()).toEqual([b.nodeId, returnEpoch + 1]);
  });

  it('is told again when the answer was lost, and nothing else is decided', async () => {
    const { returnEpoch, ask, owner } = await movedToB();
    a.stop();
    await expect
      .poll(() => {
        ask();
        return b.received('releaseMove').length;
      })
      .toBeGreaterThan(2);
    expect(new Set(b.received('releaseMove').map(({ epoch }) => epoch))).toEqual(new Set([returnEpoch + 1]));
    expect(await owner()).toEqual([b.nodeId, returnEpoch + 1]);
  });

  it('loses the transport when the source took it back: the higher epoch counts', async () => {
    const { moveId, transportId, returnEpoch, ask, owner } = await movedToB();
    a.script.tellMove = () => {
      throw new Refusal('too-late');
    };
    ask();
    await expect
      .poll(() => b.received('tellMove'))
      .toMatchObject([{ moveId, transportId, word: { kind: 'aborted', ownerEpoch: returnEpoch } }]);
    expect(b.received('releaseMove')).toHaveLength(0);
    expect(await owner()).toEqual([a.nodeId, returnEpoch]);
  });

  it('is closed when it was thought dead and the other went on: its grant is void for good', async () => {
    const { moveId, transportId, returnEpoch, ask, owner } = await movedToB();
    const { publicKey, privateKey } = a.identity;
    a.stop();
    await expect
      .poll(() => {
        ask();
        return b.received('releaseMove').length;
      })
      .toBeGreaterThan(0);
    // The source lived on behind a partition and took the transport back.
    const again = await harness.node({
      identity: { publicKey, privateKey },
      nodeId: a.nodeId,
      transports: [{ transportId, epoch: returnEpoch }],
    });
    await expect
      .poll(() => again.received('closeTransport'))
      .toMatchObject([{ transportId, epoch: returnEpoch }]);
    const asked = { role: 'source', epoch: returnEpoch, peerNodeId: b.nodeId } as const;
    again.send({ event: 'releaseWanted', moveId, transportId, ...asked });
    await expect.poll(() => again.received('closeTransport')).toHaveLength(2);
    expect(again.received('releaseMove')).toHaveLength(0);
    expect(await owner()).toEqual([b.nodeId, returnEpoch + 1]);
    again.stop();
    await again.ended;
  });

  // Control decides; the answer dies with the asker's socket; the other node was alive and has let the asker go meanwhile.
  it('takes the epoch that was decided for it when it is back, and keeps the transport', async () => {
    const { transportId, epoch, returnEpoch, owner, decide } = await decidedWhileAway();
    await decide();
    const again = await harness.node({
      identity: b.identity,
      nodeId: b.nodeId,
      transports: [{ transportId, epoch }],
    });
    await expect
      .poll(() => again.received('raiseEpoch'))
      .toMatchObject([{ transportId, epoch, raisedEpoch: returnEpoch + 1 }]);
    await expect.poll(() => again.received('configureTransport').at(-1)?.epoch).toBe(returnEpoch + 1);
    expect(again.received('closeTransport')).toEqual([]);
    expect(await owner()).toEqual([b.nodeId, returnEpoch + 1]);
    again.stop();
    await again.ended;
  });

  it('loses the transport when it does not take that epoch, and its client is asked for another', async () => {
    const { transportId, epoch, client, decide } = await decidedWhileAway();
    await decide();
    const again = await harness.node({
      identity: b.identity,
      nodeId: b.nodeId,
      transports: [{ transportId, epoch }],
      script: {
        raiseEpoch: () => {
          throw new Refusal('invalid');
        },
      },
    });
    await expect.poll(() => again.received('closeTransport')).toMatchObject([{ transportId, epoch }]);
    await client.event('transportLost');
    again.stop();
    await again.ended;
  });

  it('is a source as well: its target is told to yield before it goes on', async () => {
    const { moveId, transportId, returnEpoch, owner } = await movedToB();
    a.send({
      event: 'releaseWanted',
      moveId,
      transportId,
      role: 'source',
      epoch: returnEpoch,
      peerNodeId: b.nodeId,
    });
    await expect.poll(() => a.received('releaseMove')).toMatchObject([{ moveId, epoch: returnEpoch }]);
    expect(b.received('tellMove')).toMatchObject([{ word: { kind: 'aborted', ownerEpoch: returnEpoch } }]);
    expect(await owner()).toEqual([a.nodeId, returnEpoch]);
  });
});

describe('a take-back that control hears of late', () => {
  it('wins over the record, and the routes of everybody follow', async () => {
    const { moveId, transportId, returnEpoch, owner } = await movedToB();
    a.send({
      event: 'moveEnded',
      moveId,
      transportId,
      outcome: 'failed',
      failure: 'target-unreachable',
      ownerNodeId: a.nodeId,
      epoch: returnEpoch,
      measures: {},
    });
    await expect.poll(owner).toEqual([a.nodeId, returnEpoch]);
    const routes = () => b.received('setStreams').flatMap(({ streams }) => streams);
    await expect
      .poll(() =>
        a
          .received('setStreams')
          .flatMap(({ streams }) => streams)
          .at(-1),
      )
      .toMatchObject({ ingressNodeId: a.nodeId, ingressEpoch: returnEpoch });
    expect(routes().at(-1)).toMatchObject({ ingressNodeId: a.nodeId, ingressEpoch: returnEpoch });
    await expect
      .poll(() => a.received('configureTransport').at(-1))
      .toMatchObject({ transportId, epoch: returnEpoch });
  });

  it('does not win with an epoch that nobody granted', async () => {
    const { moveId, transportId, epoch, returnEpoch, owner } = await movedToB();
    const ended = { event: 'moveEnded', moveId, transportId, outcome: 'failed', measures: {} } as const;
    a.send({ ...ended, ownerNodeId: a.nodeId, epoch: returnEpoch + 1 });
    a.send({ ...ended, ownerNodeId: b.nodeId, epoch: returnEpoch });
    a.send({ ...ended, ownerNodeId: a.nodeId });
    // The end that one of the two reported second, and these three.
    const words = () => harness.logs.filter((line) => line.includes('late word') && line.includes(moveId));
    await expect.poll(words).toHaveLength(4);
    expect(await owner()).toEqual([b.nodeId, epoch]);
  });
});
