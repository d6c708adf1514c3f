import type { RosterStorage } from '../storage.js';
import { newTransport, type ContractRunner } from './fixtures.js';

export function outcomeContract({ it, equal }: ContractRunner, open: () => RosterStorage): void {
  it('records the end of a move for the holder of the intent only', async () => {
    const { transports } = open();
    const { transportId } = await newTransport(open());
    await transports.beginMove(
      transportId,
      { ownerNodeId: 'node-a', epoch: 1 },
      { moveId: 'm', targetNodeId: 'node-b' },
    );
    equal(await transports.endMove(transportId, { moveId: 'other', ownerNodeId: 'node-b', epoch: 2 }), false);
    equal(await transports.endMove(transportId, { moveId: 'm', ownerNodeId: 'node-b', epoch: 9 }), false);
    const result = { moveId: 'm', ownerNodeId: 'node-b', epoch: 2, negotiated: { version: 3 } };
    equal(await transports.endMove(transportId, result), true);
    equal(await transports.endMove(transportId, { moveId: 'm', ownerNodeId: 'node-a', epoch: 3 }), false);
    const record = await transports.get(transportId);
    equal([record?.ownerNodeId, record?.epoch, record?.intent], ['node-b', 2, null]);
    equal(record?.negotiated, { version: 3 });
    equal(record?.lastIntent?.moveId, 'm');
  });

  it('lets the higher epoch of the last grant win after the end was recorded, and nothing else', async () => {
    const { transports } = open();
    const { transportId } = await newTransport(open());
    const grant = { moveId: 'm', targetNodeId: 'node-b' };
    await transports.beginMove(transportId, { ownerNodeId: 'node-a', epoch: 1 }, grant);
    const tookBack = { moveId: 'm', ownerNodeId: 'node-a', epoch: 3 };
    equal(await transports.correctMove(transportId, tookBack), false);
    await transports.endMove(transportId, { moveId: 'm', ownerNodeId: 'node-b', epoch: 2 });
    equal(await transports.correctMove(transportId, { ...tookBack, ownerNodeId: 'node-c' }), false);
    equal(await transports.correctMove(transportId, { ...tookBack, moveId: 'other' }), false);
    equal(await transports.correctMove(transportId, tookBack), true);
    equal(await transports.correctMove(transportId, tookBack), false);
    const lower = { moveId: 'm', ownerNodeId: 'node-b', epoch: 2 };
    equal(await transports.correctMove(transportId, lower), false);
    const record = await transports.get(transportId);
    equal([record?.ownerNodeId, record?.epoch, record?.epochHighest], ['node-a', 3, 3]);
  });

  it('decides a move once, in a new epoch that no word of its two nodes can change', async () => {
    const { transports } = open();
    const { transportId } = await newTransport(open());
    const grant = { moveId: 'm', targetNodeId: 'node-b' };
    await transports.beginMove(transportId, { ownerNodeId: 'node-a', epoch: 1 }, grant);
    const decision = { moveId: 'm', ownerNodeId: 'node-b' };
    const decisions = await Promise.all([
      transports.decideMove(transportId, decision),
      transports.decideMove(transportId, { ...decision, ownerNodeId: 'node-a' }),
    ]);
    equal(
      decisions.filter((epoch) => epoch !== null),
      [4],
    );
    const tookBack = { moveId: 'm', ownerNodeId: 'node-a', epoch: 3 };
    equal(await transports.correctMove(transportId, tookBack), false);
    equal(await transports.endMove(transportId, tookBack), false);
    const record = await transports.get(transportId);
    equal([record?.epoch, record?.epochHighest, record?.intent, record?.lastIntent], [4, 4, null, null]);
  });
}
