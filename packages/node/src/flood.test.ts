import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildBindingRequest } from '@godwit/rtp';
import { Attacker } from './testing/attacker.js';
import { Call, SUBSCRIBER, until } from './testing/call.js';

// One node on real sockets, a call that flows, and datagrams of strangers on the same socket beside it.

/** Sent between two packets of the call; the proof of 200,000 sets more rounds. */
const ROUNDS = Number(process.env['GODWIT_FLOOD_ROUNDS'] ?? '60');
const SOCKETS = 8;

let call: Call;
let strangers: Attacker[];

beforeEach(async () => {
  call = await Call.open(1);
  strangers = await Promise.all(Array.from({ length: SOCKETS }, () => Attacker.open()));
});
afterEach(async () => {
  for (const stranger of strangers) stranger.close();
  await call.close();
});

function check(username: string, password: string): Buffer {
  return buildBindingRequest({
    transactionId: randomBytes(12),
    username,
    password,
    priority: 1,
    iceRole: { role: 'controlling', tieBreaker: 1n },
    useCandidate: true,
  });
}

describe('a flood of datagrams from strangers', { retry: 1 }, () => {
  it('costs the call no packet, the node no memory, and the log no line', async () => {
    const node = call.node(0);
    const { core, datapath } = node;
    const ufrag = core.context.transports.get(SUBSCRIBER)?.ice.local.ufrag ?? '';
    const to = { address: '127.0.0.1', port: call.subscriber.selectedPort ?? 0 };
    const kinds: (() => Buffer)[] = [
      () => check(`${randomBytes(12).toString('base64')}:abcd`, 'whatever'),
      () => check(`${ufrag}:${call.subscriber.ice.ufrag}`, 'not the password'),
      () => Buffer.concat([Buffer.from([0x16]), randomBytes(80)]),
      () => Buffer.concat([Buffer.from([0x90]), randomBytes(200)]),
      () => randomBytes(60),
    ];
    const lines = node.log.length;
    const before = node.counter('packets_received');
    let flood = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const stranger of strangers) {
        for (const kind of kinds) {
          stranger.send(kind(), to);
          flood += 1;
        }
      }
      await call.pass(1);
    }
    await until('all have come', () => node.counter('packets_received') - before >= flood);
    expect(await call.missing()).toEqual([]);
    expect(core.context.transports.size).toBe(2);
    expect(core.moves.running).toBe(0);
    expect(node.log).toHaveLength(lines);
    expect(node.counter('exceptions_overflow')).toBe(0);
    // No stranger's address is bound to anything.
    expect(datapath.counters()['dropped_unbound']).toBeGreaterThanOrEqual(ROUNDS * SOCKETS);
    for (const { got, sent } of strangers) expect(got).toBeLessThanOrEqual(sent);
  });
});
