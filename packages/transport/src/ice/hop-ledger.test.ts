import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { PoolAddress } from '@godwit/protocol';
import { createIceCredentials, parseIceUsername } from './credentials.js';
import { chooseFreshAddresses, HopLedger, hopPriority } from './hop-ledger.js';

const v4 = (port: number): PoolAddress => ({ address: '192.0.2.1', port, family: 'IPv4' });
const v6 = (port: number): PoolAddress => ({ address: '2001:db8::1', port, family: 'IPv6' });

describe('chooseFreshAddresses', () => {
  it('takes one of each family that the client has not seen', () => {
    const pool = [v4(1), v6(1), v4(2), v6(2)];
    expect(chooseFreshAddresses(pool, [])).toEqual([v6(1), v4(1)]);
    expect(chooseFreshAddresses(pool, ['192.0.2.1:1', '[2001:db8::1]:1', '[2001:db8::1]:2'])).toEqual([
      v4(2),
    ]);
    expect(
      chooseFreshAddresses(
        pool,
        pool.map((a) => (a.family === 'IPv6' ? `[${a.address}]:${a.port}` : `${a.address}:${a.port}`)),
      ),
    ).toEqual([]);
  });
});

describe('HopLedger', () => {
  it('rises by 2^16 per hop until host priorities end, and then asks for a restart', () => {
    const ledger = HopLedger.start(['192.0.2.1:0']);
    const pool = Array.from({ length: 400 }, (_, port) => [v4(port), v6(port)]).flat();
    const priorities: number[] = [];
    let plan = ledger.plan(pool);
    while (plan.kind === 'candidate') {
      ledger.take(plan);
      priorities.push(...plan.addresses.map((entry) => entry.priority).reverse());
      plan = ledger.plan(pool);
    }
    expect(plan.reason).toBe('noHigherPriority');
    expect(priorities[0]).toBe(hopPriority(1, 'IPv4'));
    expect(hopPriority(1, 'IPv4') - hopPriority(0, 'IPv4')).toBe(2 ** 16);
    expect(priorities).toEqual([...new Set(priorities)].sort((a, b) => a - b));
    expect(priorities.at(-1)).toBeLessThan(2 ** 31);
    expect(priorities.length).toBe(2 * 255);
  });

  it('asks for a restart when no address is fresh, also after a thaw', () => {
    const ledger = HopLedger.start(['192.0.2.1:1']);
    const plan = ledger.plan([v4(1), v4(2)]);
    if (plan.kind !== 'candidate') throw new Error('an address was fresh');
    expect(plan.addresses).toEqual([{ ...v4(2), priority: hopPriority(1, 'IPv4') }]);
    ledger.take(plan);
    const thawed = HopLedger.thaw(ledger.freeze());
    expect(thawed.plan([v4(1), v4(2)])).toEqual({ kind: 'restartNeeded', reason: 'noFreshAddress' });
  });
});

describe('credentials', () => {
  it('have 96 and 144 random bits in ice-chars and parse back', () => {
    const { ufrag, pwd } = createIceCredentials(randomBytes);
    expect(ufrag).toMatch(/^[A-Za-z0-9+/]{16}$/);
    expect(pwd).toMatch(/^[A-Za-z0-9+/]{24}$/);
    expect(parseIceUsername(`${ufrag}:abcd`)).toEqual({ localUfrag: ufrag, remoteUfrag: 'abcd' });
  });

  it.each(['', 'abc', ':', 'a:', ':b', 'a:b:c', 'a b:c', 'a:b\n'])(
    'does not take %j for a username',
    (text) => {
      expect(parseIceUsername(text)).toBeNull();
    },
  );
});
