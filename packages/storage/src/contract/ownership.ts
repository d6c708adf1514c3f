import type { RosterStorage } from '../storage.js';
import { newTransport, NOW_MS, type ContractRunner } from './fixtures.js';

export function ownershipContract({ it, equal }: ContractRunner, open: () => RosterStorage): void {
  it('grants a move to one of many callers and reserves two new epochs', async () => {
    const { transports } = open();
    const { transportId } = await newTransport(open());
    const owner = { ownerNodeId: 'node-a', epoch: 1 };
    const grants = await Promise.all(
      ['m1', 'm2', 'm3', 'm4'].map((moveId) =>
        transports.beginMove(transportId, owner, { moveId, targetNodeId: 'node-b' }),
      ),
    );
    const won = grants.filter((grant) => grant !== null);
    equal(won.length, 1);
    equal(
      { ...won[0], moveId: null },
      { moveId: null, sourceNodeId: 'node-a', targetNodeId: 'node-b', targetEpoch: 2, returnEpoch: 3 },
    );
  });

  it('never grants an epoch twice, though moves are given up', async () => {
    const { transports } = open();
    const { transportId } = await newTransport(open());
    const owner = { ownerNodeId: 'node-a', epoch: 1 };
    await transports.beginMove(transportId, owner, { moveId: 'm1', targetNodeId: 'node-b' });
    await transports.endMove(transportId, { moveId: 'm1', ...owner });
    const second = await transports.beginMove(transportId, owner, { moveId: 'm2', targetNodeId: 'node-b' });
    equal([second?.targetEpoch, second?.returnEpoch], [4, 5]);
    await transports.raiseEpochs(transportId, 3);
    equal((await transports.get(transportId))?.epochHighest, 5);
    await transports.raiseEpochs(transportId, 12);
    equal((await transports.get(transportId))?.epochHighest, 12);
  });

  it('refuses to move a transport at another epoch, of another owner, or ended', async () => {
    const { transports } = open();
    const { transportId } = await newTransport(open());
    const grant = { moveId: 'm', targetNodeId: 'node-b' };
    equal(await transports.beginMove(transportId, { ownerNodeId: 'node-a', epoch: 2 }, grant), null);
    equal(await transports.beginMove(transportId, { ownerNodeId: 'node-c', epoch: 1 }, grant), null);
    equal(await transports.end(transportId, NOW_MS), true);
    equal(await transports.end(transportId, NOW_MS), false);
    await transports.saveNegotiated(transportId, { ice: 'too late' });
    equal((await transports.get(transportId))?.negotiated, null);
    equal(await transports.beginMove(transportId, { ownerNodeId: 'node-a', epoch: 1 }, grant), null);
  });

  it('notes a handshake only for the epoch that owns', async () => {
    const { transports } = open();
    const { transportId } = await newTransport(open());
    equal(await transports.setConnected(transportId, 7), false);
    equal(await transports.setConnected(transportId, 1), true);
    await transports.saveNegotiated(transportId, { version: 2 });
    const record = await transports.get(transportId);
    equal([record?.connected, record?.negotiated], [true, { version: 2 }]);
  });
}
