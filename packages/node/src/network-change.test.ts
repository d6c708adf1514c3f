import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Call, PUBLISHER, SUBSCRIBER, until } from './testing/call.js';
import { holdTransfer } from './testing/hold-transfer.js';

// Two real nodes and a call that flows. A client's network changes at each step of its move: from one moment on everything
// it sends comes from an address that nobody has seen.

const PACKETS_AFTER = 60;

let call: Call;

beforeEach(async () => {
  call = await Call.open(2);
});
afterEach(() => call.close());

const clients = [
  ['publisher', PUBLISHER],
  ['subscriber', SUBSCRIBER],
] as const;

describe.each(clients)('a %s whose network changes', { retry: 1 }, (name, transportId) => {
  const change = (): Promise<void> => call[name].changeAddress();

  async function expectWhole(): Promise<void> {
    await call.pass(PACKETS_AFTER);
    expect(await call.missing()).toEqual([]);
    // Media has followed it, and does not only still come to where it was.
    if (name === 'subscriber') expect(call.subscriber.receivedHere).toBeGreaterThan(PACKETS_AFTER / 2);
  }

  it('at rest is followed', async () => {
    await change();
    await expectWhole();
  });

  it('when its move is prepared moves all the same', async () => {
    const move = await call.prepare(transportId, [0, 1], 2);
    await change();
    await call.pass(5);
    expect(await call.follow(transportId, 0, move)).toBe('completed');
    await expectWhole();
  });

  it('as soon as it is told, before its new path is proven', async () => {
    const move = await call.prepare(transportId, [0, 1], 2);
    const outcome = call.follow(transportId, 0, move);
    await change();
    expect(await outcome).toBe('completed');
    await expectWhole();
  });

  it('while its state is on the way', async () => {
    const move = await call.prepare(transportId, [0, 1], 2);
    const transfer = holdTransfer(call.node(0).datapath);
    const outcome = call.follow(transportId, 0, move);
    await until('the state has left', () => transfer.held() > 0);
    await change();
    transfer.release();
    expect(await outcome).toBe('completed');
    await expectWhole();
  });

  it('right after the transfer', async () => {
    expect(await call.follow(transportId, 0, await call.prepare(transportId, [0, 1], 2))).toBe('completed');
    await change();
    await expectWhole();
  });
});
