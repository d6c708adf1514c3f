import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Call, receiving, SUBSCRIBER, until, type MoveOfTest } from './testing/call.js';
import { holdTransfer } from './testing/hold-transfer.js';

// Two real nodes and a call that flows; control's other commands meet a move at each of its steps.

let call: Call;

beforeEach(async () => {
  call = await Call.open(2);
});
afterEach(() => call.close());

const configuration = (epoch: number, generation: number) => ({
  transportId: SUBSCRIBER,
  epoch,
  media: { ...receiving, generation },
});
const restart = (epoch: number) => ({ transportId: SUBSCRIBER, epoch, usedAddresses: [] });

describe('a transport whose state is on its way', () => {
  it('takes no change that would be lost with it; its new owner does, and no packet is missing', async () => {
    const move = await call.prepare(SUBSCRIBER, [0, 1], 2);
    const transfer = holdTransfer(call.node(0).datapath);
    const outcome = call.follow(SUBSCRIBER, 0, move);
    await until('the state has left', () => transfer.held() > 0);
    await expect(call.node(0).command('configureTransport', configuration(1, 2))).rejects.toThrow(/has left/);
    await expect(call.node(0).command('restartIce', restart(1))).rejects.toThrow(/has left/);
    transfer.release();
    expect(await outcome).toBe('completed');
    await expect(call.node(0).command('configureTransport', configuration(1, 2))).rejects.toMatchObject({
      code: 'moved',
    });
    await call.node(1).command('configureTransport', configuration(2, 2));
    await call.pass(50);
    expect(await call.missing()).toEqual([]);
  });
});

describe('a prepared move', () => {
  it('goes on when the source is configured again, and when ICE restarts there', async () => {
    const move = await call.prepare(SUBSCRIBER, [0, 1], 2);
    await call.node(0).command('configureTransport', configuration(1, 2));
    // The client has not heard of it: what it uses stays good at both nodes.
    await call.node(0).command('restartIce', restart(1));
    expect(await call.follow(SUBSCRIBER, 0, move)).toBe('completed');
    await call.pass(50);
    expect(await call.missing()).toEqual([]);
  });
});

describe('an owner that control made a new epoch while it was away', () => {
  it('owns in it from now on, once however often it is told, and moves on from there', async () => {
    const raise = { transportId: SUBSCRIBER, epoch: 1, raisedEpoch: 7 };
    await call.node(0).command('raiseEpoch', raise);
    await call.node(0).command('raiseEpoch', raise);
    await expect(call.node(0).command('configureTransport', configuration(1, 2))).rejects.toMatchObject({
      code: 'moved',
    });
    await call.node(0).command('configureTransport', configuration(7, 2));
    await expect(call.node(0).command('raiseEpoch', { ...raise, raisedEpoch: 9 })).rejects.toMatchObject({
      code: 'moved',
    });
    expect(await call.follow(SUBSCRIBER, 0, await call.prepare(SUBSCRIBER, [0, 1], 8))).toBe('completed');
    await call.pass(50);
    expect(await call.missing()).toEqual([]);
  });
});

describe('closing a transport', () => {
  async function expectGone(move: MoveOfTest): Promise<void> {
    for (const node of call.nodes) {
      await node.command('closeTransport', { transportId: SUBSCRIBER, epoch: 3, reason: 'test' });
    }
    for (const [at, epoch] of [
      [0, 1],
      [1, 2],
    ] as const) {
      await expect(
        call.node(at).command('configureTransport', configuration(epoch, 9)),
      ).rejects.toMatchObject({
        code: 'unknown-transport',
      });
      // The move went with it: nothing is left to be cancelled.
      const { moveId } = move;
      await expect(call.node(at).command('cancelMove', { moveId, transportId: SUBSCRIBER })).resolves.toEqual(
        {},
      );
    }
    const received = call.subscriber.received.length;
    await call.pass(50);
    expect(call.subscriber.received.length - received).toBeLessThan(50);
  }

  it('leaves nothing while the move waits for its client', async () => {
    await expectGone(await call.prepare(SUBSCRIBER, [0, 1], 2));
  });

  it('leaves nothing while the state is on its way', async () => {
    const move = await call.prepare(SUBSCRIBER, [0, 1], 2);
    const transfer = holdTransfer(call.node(0).datapath);
    void call.follow(SUBSCRIBER, 0, move).catch(() => undefined);
    await until('the state has left', () => transfer.held() > 0);
    await expectGone(move);
    transfer.release();
    expect(call.node(1).outcomes(move.moveId)).toEqual([]);
  });

  it('leaves nothing after the transfer, while the source still lingers', async () => {
    const move = await call.prepare(SUBSCRIBER, [0, 1], 2);
    expect(await call.follow(SUBSCRIBER, 0, move)).toBe('completed');
    await expectGone(move);
  });
});
