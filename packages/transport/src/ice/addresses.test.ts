import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { PoolAddress } from '@godwit/protocol';
import { createIceCredentials, parseIceUsername } from './credentials.js';
import { chooseFreshAddresses } from './addresses.js';

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
