import { describe, expect, it } from 'vitest';
import { usableAddresses } from './address-pool.js';

const of = (address: string, internal = false) => ({ address, internal });

describe('addresses announced by default', () => {
  it('are those that another machine can reach, of both families', () => {
    const host = [
      of('127.0.0.1', true),
      of('::1', true),
      of('192.0.2.2'),
      of('2001:db8::2'),
      of('fe80::1'),
      of('169.254.3.4'),
    ];
    expect(usableAddresses(host)).toEqual(['192.0.2.2', '2001:db8::2']);
  });

  it('fall back to loopback on a machine without a network', () => {
    expect(usableAddresses([of('127.0.0.1', true), of('::1', true)])).toEqual(['127.0.0.1']);
  });
});
