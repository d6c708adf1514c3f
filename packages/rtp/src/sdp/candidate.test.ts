import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesToIpAddress } from '../stun/index.js';
import {
  CANDIDATE_TYPE_PREFERENCE,
  candidatePriority,
  candidatePriorityParts,
  formatCandidate,
  parseCandidate,
} from './index.js';

describe('candidates', () => {
  it('come back as they were written', () => {
    const addresses = fc.oneof(
      fc.record({ address: fc.ipV4(), family: fc.constant('IPv4' as const) }),
      fc.record({
        address: fc.uint8Array({ minLength: 16, maxLength: 16 }).map(bytesToIpAddress),
        family: fc.constant('IPv6' as const),
      }),
    );
    fc.assert(
      fc.property(
        addresses,
        fc.nat(65_535),
        fc.integer({ min: 1, max: 2 ** 31 - 1 }),
        (address, port, priority) => {
          const candidate = { foundation: 'a1', priority, port, ...address };
          const expected = { ...candidate, component: 1, protocol: 'udp', type: 'host' };
          expect(parseCandidate(formatCandidate(candidate))).toEqual(expected);
          expect(parseCandidate(`a=${formatCandidate(candidate)}`)).toEqual(expected);
        },
      ),
    );
  });

  it("are read with browsers' extensions, mDNS names and TCP", () => {
    expect(
      parseCandidate(
        'candidate:1162875081 1 udp 2113937151 1d4ebd4c-6d2f-4c2a-9f4b-1c1b9f6f7a10.local 60017 typ host generation 0 network-cost 999',
      ),
    ).toMatchObject({ family: null, address: '1d4ebd4c-6d2f-4c2a-9f4b-1c1b9f6f7a10.local', type: 'host' });
    expect(
      parseCandidate(
        'candidate:3 1 TCP 1845501695 203.0.113.5 9 typ srflx raddr 10.0.0.1 rport 9 tcptype active',
      ),
    ).toMatchObject({ protocol: 'tcp', type: 'srflx', family: 'IPv4', port: 9 });
  });

  it('are refused when malformed, never with a throw', () => {
    for (const text of [
      '',
      'candidate:',
      'candidate:1 0 udp 1 192.0.2.1 1 typ host',
      'candidate:1 1 udp 4294967296 192.0.2.1 1 typ host',
      'candidate:1 1 udp 1 192.0.2.1 65536 typ host',
      'candidate:1 1 udp 1 192.0.2.1 1 typ hostile',
      `candidate:1 1 udp 1 192.0.2.1 1 typ host ${'x'.repeat(512)}`,
    ]) {
      expect(parseCandidate(text), text).toBeNull();
    }
    fc.assert(fc.property(fc.string(), (text) => void parseCandidate(`candidate:1 1 udp 1 ${text}`)));
  });

  it('are not written with a wrong address or foundation', () => {
    const candidate = {
      foundation: '1',
      priority: 1,
      address: '192.0.2.1',
      port: 1,
      family: 'IPv4' as const,
    };
    expect(() => formatCandidate({ ...candidate, address: 'host.example' })).toThrow(RangeError);
    expect(() => formatCandidate({ ...candidate, family: 'IPv6' })).toThrow(RangeError);
    expect(() => formatCandidate({ ...candidate, foundation: 'a b' })).toThrow(RangeError);
  });

  it('have the priority of RFC 8445', () => {
    const host = candidatePriority(CANDIDATE_TYPE_PREFERENCE.host, 65_535);
    expect(host).toBe(2_130_706_431);
    expect(candidatePriority(126, 256) - candidatePriority(126, 0)).toBe(2 ** 16);
    expect(candidatePriorityParts(host)).toEqual({
      typePreference: 126,
      localPreference: 65_535,
      component: 1,
    });
    expect(candidatePriorityParts(candidatePriority(110, 5, 256))).toEqual({
      typePreference: 110,
      localPreference: 5,
      component: 256,
    });
  });
});
