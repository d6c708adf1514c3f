import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UNPROVEN_AMPLIFICATION_MAX } from '@godwit/datapath';
import type { PoolAddress } from '@godwit/protocol';
import { Attacker } from './testing/attacker.js';
import { Call, PUBLISHER, SUBSCRIBER, until } from './testing/call.js';

// Two nodes on real sockets, a call that flows, and somebody who has recorded what the clients sent and sends it again
// from addresses of its own.

const REPLAYS = 20;

let call: Call;
let attackers: Attacker[];

async function attacker(): Promise<Attacker> {
  const opened = await Attacker.open();
  attackers.push(opened);
  return opened;
}

function selected(browser: Call['subscriber']): PoolAddress {
  return { address: '127.0.0.1', port: browser.selectedPort ?? 0, family: 'IPv4' };
}

/** The recorded check, again and again while media flows both ways. */
async function replay(from: Attacker, bytes: () => Buffer, to: () => PoolAddress): Promise<void> {
  for (let count = 0; count < REPLAYS; count += 1) {
    from.send(bytes(), to());
    await call.pass(2);
  }
}

function expectLittle(...those: Attacker[]): void {
  for (const { got, sent } of those) expect(got).toBeLessThanOrEqual(UNPROVEN_AMPLIFICATION_MAX * sent);
}

beforeEach(async () => {
  attackers = [];
  call = await Call.open(2);
});

afterEach(async () => {
  for (const one of attackers) one.close();
  await call.close();
});

describe('a recorded check with USE-CANDIDATE, sent from elsewhere', { retry: 1 }, () => {
  it('draws no media from the owner and takes none from the client', async () => {
    const one = await attacker();
    const { subscriber } = call;
    await replay(
      one,
      () => subscriber.lastCheck,
      () => selected(subscriber),
    );
    expect(await call.missing()).toEqual([]);
    expectLittle(one);
  });

  it('takes nothing from a publisher, from however many addresses it comes', async () => {
    const { publisher } = call;
    const many = await Promise.all(Array.from({ length: 24 }, () => attacker()));
    for (const one of many) {
      for (let count = 0; count < 3; count += 1) one.send(publisher.lastCheck, selected(publisher));
      await call.pass(1);
    }
    await call.pass(50);
    expect(await call.missing()).toEqual([]);
    expectLittle(...many);
  });

  it('draws nothing at the target of a move, before the client comes or after', async () => {
    const [early, late] = [await attacker(), await attacker()];
    const { subscriber } = call;
    const move = await call.prepare(SUBSCRIBER, [0, 1], 2);
    for (let count = 0; count < 3; count += 1) early.send(subscriber.lastCheck, move.address);
    await until('the target takes it for the client', () => early.got > 0);
    const outcome = call.follow(SUBSCRIBER, 0, move);
    const burst = setInterval(() => {
      late.send(subscriber.lastCheck, move.address);
    }, 1);
    expect(await outcome).toBe('completed');
    await call.pass(100);
    clearInterval(burst);
    expect(await call.missing()).toEqual([]);
    expectLittle(early, late);
  });

  it('draws nothing from the new owner after the move', async () => {
    const one = await attacker();
    const { subscriber } = call;
    const move = await call.prepare(SUBSCRIBER, [0, 1], 2);
    expect(await call.follow(SUBSCRIBER, 0, move)).toBe('completed');
    await replay(
      one,
      () => subscriber.lastCheck,
      () => move.address,
    );
    expect(await call.missing()).toEqual([]);
    expectLittle(one);
  });

  it('moves neither path nor owner, and recorded media through the target proves nothing', async () => {
    const one = await attacker();
    const move = await call.prepare(PUBLISHER, [0, 1], 2);
    for (let count = 0; count < REPLAYS; count += 1) {
      one.send(call.publisher.lastCheck, move.address);
      await call.pass(1);
      // It has arrived at the owner by the client's own path, and now comes again.
      const { lastMedia } = call.publisher;
      await call.pass(1);
      one.send(lastMedia, move.address);
    }
    await until('the owner has seen them', () => call.node(0).counter('from_client_received') >= REPLAYS);
    const [source] = call.nodes;
    expect(source?.events.filter(({ event }) => event === 'moveProven' || event === 'moveEnded')).toEqual([]);
    expect(source?.core.moves.sourceOf(PUBLISHER)?.move.stateName).toBe('proving');
    expect(source?.counter('dropped_replayed')).toBeGreaterThanOrEqual(REPLAYS);
    expect(await call.follow(PUBLISHER, 0, move)).toBe('completed');
    await call.pass(50);
    expect(await call.missing()).toEqual([]);
    expectLittle(one);
  });
});
