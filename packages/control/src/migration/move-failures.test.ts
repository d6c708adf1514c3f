import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Refusal, scriptMoves, type FakeNode } from '../testing/fake-node.js';
import type { Harness } from '../testing/harness.js';
import { useTwoNodes } from '../testing/two-nodes.js';

const scene = useTwoNodes();
let harness: Harness;
let a: FakeNode;
let b: FakeNode;
beforeEach(() => {
  ({ harness, a, b } = scene);
});

describe('a move that does not complete', () => {
  it('comes back when an attempt fails before the proof, and the next grant is above every earlier one', async () => {
    const { sessionId, client, transportId } = await scene.publishOnA();
    a.script.startMove = () => ({});
    expect(await harness.migrate(sessionId)).toMatchObject({
      status: 'failed',
      connections: [{ outcome: 'failed', failure: 'path-not-proven' }],
    });
    expect(await client.event('moveEnded')).toMatchObject({ outcome: 'failed', nodeId: a.nodeId });
    expect(a.received('cancelMove')).toHaveLength(1);
    expect(b.received('cancelMove')).toHaveLength(1);
    expect(await scene.connections(sessionId)).toMatchObject([{ nodeId: a.nodeId, epoch: 1 }]);
    scriptMoves(a, b);
    expect(await harness.migrate(sessionId, { target: b.nodeId })).toMatchObject({ status: 'completed' });
    expect(a.received('startMove').at(-1)).toMatchObject({ transportId, epoch: 4, returnEpoch: 5 });
    expect(await scene.connections(sessionId)).toMatchObject([{ nodeId: b.nodeId, epoch: 4 }]);
    // The address that the client has seen in the failed attempt is not offered again.
    const [first, second] = b.received('prepareMove');
    expect(second?.usedAddresses).toEqual([
      ...(first?.usedAddresses ?? []),
      `127.0.0.1:${b.addresses[0]?.port}`,
    ]);
  });

  it.each([
    ['relays-not-ready', 'relays-not-ready'],
    ['internal', 'target-refused'],
    ['stopping', 'target-refused'],
  ] as const)(
    'names the reason when the target answers %s, before the client hears of anything',
    async (code, failure) => {
      const { sessionId, client } = await scene.publishOnA();
      b.script.prepareMove = () => {
        throw new Refusal(code);
      };
      expect(await harness.migrate(sessionId)).toMatchObject({
        status: 'failed',
        connections: [{ failure }],
      });
      expect(client.events.some(({ event }) => event === 'moveCandidate' || event === 'moveEnded')).toBe(
        false,
      );
      expect(await scene.connections(sessionId)).toMatchObject([{ nodeId: a.nodeId, epoch: 1 }]);
    },
  );

  it('names a target with which the source has no layout of the state in common, and tells neither', async () => {
    const { sessionId } = await scene.publishOnA();
    const newer = await harness.node({ stateSchemas: [3, 2] });
    try {
      expect(await harness.migrate(sessionId, { target: newer.nodeId })).toMatchObject({
        status: 'failed',
        connections: [{ failure: 'no-common-schema' }],
      });
      expect([...newer.received('prepareMove'), ...a.received('startMove')]).toEqual([]);
      expect(await scene.connections(sessionId)).toMatchObject([{ nodeId: a.nodeId, epoch: 1 }]);
    } finally {
      newer.stop();
      await newer.ended;
    }
  });

  it('records a source that took its transport back under the reserved epoch', async () => {
    const { sessionId } = await scene.publishOnA();
    a.script.startMove = ({ moveId, transportId, returnEpoch }) => {
      const ended = {
        event: 'moveEnded',
        moveId,
        transportId,
        ownerNodeId: a.nodeId,
        epoch: returnEpoch,
      } as const;
      setTimeout(
        () => a.send({ ...ended, outcome: 'failed', failure: 'transfer-refused', measures: {} }),
        10,
      );
      return {};
    };
    expect(await harness.migrate(sessionId)).toMatchObject({
      connections: [{ failure: 'transfer-refused' }],
    });
    expect(await scene.connections(sessionId)).toMatchObject([{ nodeId: a.nodeId, epoch: 3 }]);
  });

  // Control loses the target; then the source's proof; the source has sent its state to nobody and cannot be cancelled.
  it('tells a source whose state has left to take it back when its target has died', async () => {
    const { sessionId } = await scene.publishOnA();
    a.script.startMove = () => {
      setTimeout(() => b.stop(), 10);
      return {};
    };
    a.script.cancelMove = ({ moveId, transportId, force }) => {
      if (force !== true) throw new Refusal('too-late');
      const ended = { event: 'moveEnded', moveId, transportId, ownerNodeId: a.nodeId } as const;
      a.send({ ...ended, epoch: 3, outcome: 'failed', failure: 'cancelled', measures: {} });
      return {};
    };
    expect(await harness.migrate(sessionId)).toMatchObject({ connections: [{ outcome: 'failed' }] });
    expect(a.received('cancelMove').map(({ force }) => force)).toEqual([undefined, true]);
    expect(await scene.connections(sessionId)).toMatchObject([{ nodeId: a.nodeId, epoch: 3 }]);
  });

  it('ends soon when the source dies after the proof and its state has not come: the client needs its turn', async () => {
    const { sessionId } = await scene.publishOnA();
    a.script.startMove = ({ moveId, transportId }) => {
      a.send({ event: 'moveProven', moveId, transportId, measures: {} });
      setTimeout(() => a.stop(), 10);
      return {};
    };
    expect(await harness.migrate(sessionId)).toMatchObject({
      connections: [{ outcome: 'failed', failure: 'source-lost' }],
    });
    expect(b.received('cancelMove')).toHaveLength(1);
  });

  it('leaves the owner open when neither node can be asked: what they report decides', async () => {
    const { sessionId, transportId } = await scene.publishOnA();
    let granted = 0;
    a.script.startMove = ({ moveId, epoch }) => {
      granted = epoch;
      a.send({ event: 'moveProven', moveId, transportId, measures: {} });
      setTimeout(() => [a, b].forEach((node) => node.stop()), 10);
      return {};
    };
    await harness.migrate(sessionId);
    const { identity } = b;
    const sourceAgain = await harness.node({ identity: a.identity, nodeId: a.nodeId });
    const transports = [{ transportId, epoch: granted }];
    const targetAgain = await harness.node({ identity, nodeId: b.nodeId, transports });
    await expect
      .poll(async () => (await harness.storage.transports.get(transportId))?.ownerNodeId)
      .toBe(b.nodeId);
    expect(
      harness.logs.some((line) => line.includes('lost with its node') && line.includes(transportId)),
    ).toBe(false);
    for (const node of [sourceAgain, targetAgain]) {
      node.stop();
      await node.ended;
    }
  });

  it('adopts the end of a move that it had given up waiting for', async () => {
    const { sessionId, transportId } = await scene.publishOnA();
    a.script.startMove = ({ moveId }) => {
      setTimeout(() => a.send({ event: 'moveProven', moveId, transportId, measures: {} }), 5);
      return {};
    };
    expect(await harness.migrate(sessionId)).toMatchObject({
      connections: [{ failure: 'transfer-timeout' }],
    });
    expect(a.received('cancelMove').at(-1)?.force).toBe(true);
    const row = (): ReturnType<typeof harness.storage.transports.get> =>
      harness.storage.transports.get(transportId);
    expect((await row())?.intent).not.toBeNull();
    const { moveId, epoch } = a.received('startMove').at(-1)!;
    b.send({
      event: 'moveEnded',
      moveId,
      transportId,
      outcome: 'completed',
      ownerNodeId: b.nodeId,
      epoch,
      measures: {},
    });
    await expect.poll(async () => (await row())?.ownerNodeId).toBe(b.nodeId);
    expect((await row())?.intent).toBeNull();
  });

  // The state has left; control gives the move up and cannot decide. Whoever waits in the nodes asks, each second.
  describe('that it had given up while the source waits for its target', () => {
    async function leftBehind() {
      const { sessionId, transportId } = await scene.publishOnA();
      a.script.startMove = ({ moveId }) => {
        setTimeout(() => a.send({ event: 'moveProven', moveId, transportId, measures: {} }), 5);
        return {};
      };
      a.script.cancelMove = () => {
        throw new Refusal('too-late');
      };
      await harness.migrate(sessionId);
      const { moveId, epoch, returnEpoch } = a.received('startMove').at(-1)!;
      const ask = (): void => a.send({ event: 'answerWanted', moveId, transportId });
      const owner = async () => {
        const row = await harness.storage.transports.get(transportId);
        return [row?.ownerNodeId, row?.epoch, row?.intent ?? null];
      };
      const asked = a.received('cancelMove').length;
      return { moveId, transportId, epoch, returnEpoch, ask, owner, asked };
    }

    it('adopts a target that owns, and tells the source', async () => {
      const { moveId, transportId, epoch, ask, owner } = await leftBehind();
      b.script.cancelMove = () => {
        throw new Refusal('too-late');
      };
      ask();
      await expect.poll(owner).toEqual([b.nodeId, epoch, null]);
      await expect
        .poll(() => a.received('tellMove'))
        .toMatchObject([{ moveId, transportId, word: { kind: 'accepted' } }]);
    });

    it.each(['has let go', 'counts as dead'])(
      'lets the source take the transport back when the target %s',
      async (fate) => {
        const { returnEpoch, ask, owner } = await leftBehind();
        a.script.cancelMove = ({ force }) => {
          if (force !== true) throw new Refusal('too-late');
          return { epoch: returnEpoch };
        };
        if (fate === 'counts as dead') {
          b.stop();
          await b.ended;
        } else b.script.cancelMove = () => ({});
        await expect
          .poll(() => {
            ask();
            return owner();
          })
          .toEqual([a.nodeId, returnEpoch, null]);
      },
    );

    it('decides nothing while the target is away and may own', async () => {
      const { ask, owner, asked } = await leftBehind();
      b.script.cancelMove = () => {
        throw new Refusal('internal');
      };
      ask();
      await expect.poll(() => a.received('cancelMove').length).toBeGreaterThan(asked);
      await harness.session();
      expect(
        a
          .received('cancelMove')
          .slice(asked)
          .some(({ force }) => force === true),
      ).toBe(false);
      expect(await owner()).toMatchObject([a.nodeId, 1, { sourceNodeId: a.nodeId }]);
    });
  });

  it('fails with a named reason when a node goes away before the proof; calls go on', async () => {
    const { sessionId, client } = await scene.publishOnA();
    a.script.startMove = () => {
      setTimeout(() => b.stop(), 10);
      return {};
    };
    expect(await harness.migrate(sessionId)).toMatchObject({
      connections: [{ failure: 'target-unreachable' }],
    });
    await expect(client.request('ping')).resolves.toEqual({});
  });

  // The client is told; the source's socket closes; the target is cancelled. The source may still have transferred, been
  // refused and taken the transport back under its reserved epoch, which a later grant would not know.
  it('grants no other move while a source that went away may still report a take-back', async () => {
    const { sessionId, transportId } = await scene.publishOnA();
    a.script.startMove = () => {
      setTimeout(() => a.stop(), 10);
      return {};
    };
    expect(await harness.migrate(sessionId)).toMatchObject({ connections: [{ failure: 'source-lost' }] });
    const row = await harness.storage.transports.get(transportId);
    expect(row?.intent).toMatchObject({ sourceNodeId: a.nodeId, returnEpoch: 3 });
  });

  // startMove goes out; the source stands still and its socket closes. Awake again it takes the command up, and its client
  // may be at the target from an earlier move: proven at once, transferred, refused by the cancelled target, taken back.
  it('grants no other move while a source may yet take up a start that it never answered', async () => {
    const { sessionId, transportId } = await scene.publishOnA();
    a.script.startMove = () => {
      a.stop();
      return new Promise<never>(() => undefined);
    };
    expect(await harness.migrate(sessionId)).toMatchObject({ connections: [{ failure: 'source-lost' }] });
    const intent = async () => (await harness.storage.transports.get(transportId))?.intent ?? null;
    expect(await intent()).toMatchObject({ sourceNodeId: a.nodeId, returnEpoch: 3 });
    const again = await harness.node({
      identity: a.identity,
      nodeId: a.nodeId,
      transports: [{ transportId, epoch: 1 }],
    });
    await expect.poll(intent).toBeNull();
    expect(again.received('cancelMove')).toHaveLength(1);
    again.stop();
    await again.ended;
  });

  it('fails alone when its grant cannot be written: the others of its migration go on, and only then it ends', async () => {
    const { sessionId } = await scene.publishOnA();
    await harness.publish(await harness.join(sessionId), a, 2_000);
    const beginMove = vi.spyOn(harness.storage.transports, 'beginMove');
    beginMove.mockRejectedValueOnce(new Error('the database is away'));
    const migration = await harness.migrate(sessionId, { target: b.nodeId });
    beginMove.mockRestore();
    expect(migration).toMatchObject({ status: 'failed', progress: { moved: 1, total: 2 } });
    const moves = migration['connections'] as { outcome: string; failure: string | null }[];
    expect(moves.map(({ outcome }) => outcome).toSorted()).toEqual(['completed', 'failed']);
    expect(moves.find(({ outcome }) => outcome === 'failed')?.failure).toBe('cancelled');
  });

  describe('whose end was lost with the socket of its source', () => {
    /** The move goes through; control hears of nothing but the proof. */
    async function endUnheard(): ReturnType<typeof scene.publishOnA> {
      const published = await scene.publishOnA();
      const { transportId } = published;
      a.script.startMove = ({ moveId }) => {
        a.send({ event: 'moveProven', moveId, transportId, measures: {} });
        setTimeout(() => a.stop(), 10);
        return {};
      };
      b.script.cancelMove = () => {
        throw new Refusal('too-late');
      };
      expect(await harness.migrate(published.sessionId)).toMatchObject({
        connections: [{ failure: 'source-lost' }],
      });
      return published;
    }

    it.each([
      ['remembers it', undefined],
      ['has forgotten it and owns', 2],
    ])('is found at its target, which %s, when the source is back without it', async (_case, epoch) => {
      const { transportId } = await endUnheard();
      if (epoch !== undefined) b.script.cancelMove = () => ({ epoch });
      const again = await harness.node({ identity: a.identity, nodeId: a.nodeId });
      const row = () => harness.storage.transports.get(transportId);
      await expect.poll(row).toMatchObject({ ownerNodeId: b.nodeId, epoch: 2, intent: null });
      await expect
        .poll(() => b.received('configureTransport').at(-1))
        .toMatchObject({ transportId, epoch: 2 });
      again.stop();
      await again.ended;
    });

    it('is found before another move is granted', async () => {
      const { sessionId, transportId } = await endUnheard();
      b.script.cancelMove = () => {
        throw new Refusal('internal');
      };
      const again = await harness.node({ identity: a.identity, nodeId: a.nodeId });
      await expect.poll(() => b.received('cancelMove')).toHaveLength(2);
      b.script.cancelMove = () => {
        throw new Refusal('too-late');
      };
      expect(await harness.migrate(sessionId, { target: b.nodeId })).toMatchObject({ status: 'completed' });
      expect(await harness.storage.transports.get(transportId)).toMatchObject({
        ownerNodeId: b.nodeId,
        epoch: 2,
        intent: null,
      });
      again.stop();
      await again.ended;
    });

    it('is not given to a target that does not own it either', async () => {
      const { transportId } = await endUnheard();
      b.script.cancelMove = () => ({});
      const again = await harness.node({ identity: a.identity, nodeId: a.nodeId });
      await expect.poll(() => b.received('cancelMove')).toHaveLength(2);
      expect(await harness.storage.transports.get(transportId)).toMatchObject({ ownerNodeId: a.nodeId });
      again.stop();
      await again.ended;
    });
  });

  it('closes a grant that was left open before it makes another', async () => {
    const { sessionId, transportId } = await scene.publishOnA();
    const { startMove } = a.script;
    const fail = (): never => {
      throw new Refusal('internal');
    };
    Object.assign(a.script, { startMove: fail, cancelMove: fail });
    expect(await harness.migrate(sessionId)).toMatchObject({ connections: [{ outcome: 'failed' }] });
    expect((await harness.storage.transports.get(transportId))?.intent).not.toBeNull();
    Object.assign(a.script, { startMove, cancelMove: undefined });
    expect(await harness.migrate(sessionId)).toMatchObject({ connections: [{ outcome: 'completed' }] });
    expect(await scene.connections(sessionId)).toMatchObject([{ nodeId: b.nodeId, epoch: 4 }]);
  });

  it.each([
    ['before the proof', false],
    ['after the transfer', true],
  ])('closes the transport wherever it is when its client leaves %s', async (_when, transferred) => {
    const { sessionId, client, transportId } = await scene.publishOnA();
    const start = a.script.startMove;
    a.script.startMove = async (command) => {
      await client.request('disconnect');
      return transferred ? start?.(command) : {};
    };
    const migration = await harness.migrate(sessionId, { target: b.nodeId });
    expect(migration).toMatchObject({ status: 'completed' });
    expect(b.received('closeTransport')).toMatchObject([{ transportId, epoch: 3 }]);
    expect((await harness.storage.transports.get(transportId))?.endedAtMs).not.toBeNull();
  });
});
