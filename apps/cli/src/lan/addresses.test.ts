import type { NetworkInterfaceInfo } from 'node:os';
import { describe, expect, it } from 'vitest';
import { lanAddresses } from './addresses.js';

const entry = (address: string, family: 'IPv4' | 'IPv6' = 'IPv4', internal = false): NetworkInterfaceInfo =>
  ({ address, family, internal }) as NetworkInterfaceInfo;

describe('addresses for other devices', () => {
  it('come private first, without loopback, link-local and container networks', () => {
    const addresses = lanAddresses({
      lo: [entry('127.0.0.1', 'IPv4', true)],
      docker0: [entry('172.17.0.1')],
      eth0: [entry('203.0.113.5'), entry('fe80::1', 'IPv6')],
      wlan0: [entry('192.168.1.2'), entry('169.254.7.7')],
    });
    expect(addresses).toEqual(['192.168.1.2', '203.0.113.5']);
  });
});
