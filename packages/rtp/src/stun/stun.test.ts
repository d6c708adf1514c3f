import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  buildBindingIndication,
  buildBindingRequest,
  buildBindingSuccess,
  buildErrorResponse,
  bytesToIpAddress,
  ipAddressToBytes,
  parseStunMessage,
  STUN_ERRORS,
  verifyFingerprint,
  verifyIntegrity,
} from './index.js';
import { STUN_ATTRIBUTES_MAX } from '../limits.js';

// RFC 5769 2.1 to 2.3.
const PASSWORD = 'VOkJxbRl1RmTxUk/WvJxBt';
const TRANSACTION_ID = Buffer.from('b7e7a701bc34d686fa87dfae', 'hex');
const vector = (hex: string) => Buffer.from(hex.replace(/\s/g, ''), 'hex');
const REQUEST = vector(`00010058 2112a442 b7e7a701bc34d686fa87dfae
  80220010 5354554e207465737420636c69656e74  00240004 6e0001ff  80290008 932ff9b151263b36
  00060009 6576746a3a68367659202020  00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2  80280004 e57a3bcf`);
const RESPONSE_IPV4 = vector(`0101003c 2112a442 b7e7a701bc34d686fa87dfae
  8022000b 7465737420766563746f7220  00200008 0001a147e112a643
  00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7  80280004 c07d4c96`);
const RESPONSE_IPV6 = vector(`01010048 2112a442 b7e7a701bc34d686fa87dfae
  8022000b 7465737420766563746f7220  00200014 0002a1470113a9faa5d3f179bc25f4b5bed2b9d9
  00080014 a382954e4be67bf11784c97c8292c275bfe3ed41  80280004 c8fb0b4c`);

describe('RFC 5769 vectors', () => {
  it('sample request', () => {
    const message = parseStunMessage(REQUEST)!;
    expect(message).toMatchObject({
      class: 'request',
      method: 1,
      transactionId: TRANSACTION_ID,
      username: 'evtj:h6vY',
      priority: 0x6e0001ff,
      iceRole: { role: 'controlled', tieBreaker: 0x932ff9b151263b36n },
      useCandidate: false,
      unknownRequired: [],
    });
    expect(verifyIntegrity(message, PASSWORD)).toBe(true);
    expect(verifyIntegrity(message, `${PASSWORD}x`)).toBe(false);
    expect(verifyFingerprint(message)).toBe(true);
  });

  it.each([
    ['IPv4', RESPONSE_IPV4, '192.0.2.1'],
    ['IPv6', RESPONSE_IPV6, '2001:db8:1234:5678:11:2233:4455:6677'],
  ] as const)('sample %s response', (family, bytes, address) => {
    const message = parseStunMessage(bytes)!;
    expect(message.class).toBe('success');
    expect(message.xorMappedAddress).toEqual({ address, port: 32853, family });
    expect(verifyIntegrity(message, PASSWORD)).toBe(true);
    expect(verifyFingerprint(message)).toBe(true);
  });
});

const ports = fc.integer({ min: 0, max: 65_535 });
const addresses = fc.oneof(
  fc.record({ address: fc.ipV4(), port: ports, family: fc.constant('IPv4' as const) }),
  fc.record({
    address: fc.uint8Array({ minLength: 16, maxLength: 16 }).map(bytesToIpAddress),
    port: ports,
    family: fc.constant('IPv6' as const),
  }),
);
const transactionIds = fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => Buffer.from(bytes));
const passwords = fc.string({ minLength: 22, maxLength: 40 });

describe('builders', () => {
  it('binding success parses back and authenticates only with its password', () => {
    fc.assert(
      fc.property(transactionIds, addresses, passwords, (transactionId, mapped, password) => {
        const message = parseStunMessage(buildBindingSuccess({ transactionId, mapped, password }))!;
        expect(message).toMatchObject({
          class: 'success',
          method: 1,
          transactionId,
          xorMappedAddress: mapped,
        });
        expect(verifyIntegrity(message, password)).toBe(true);
        expect(verifyIntegrity(message, `${password}!`)).toBe(false);
        expect(verifyFingerprint(message)).toBe(true);
      }),
    );
  });

  it('a check carries everything that ICE needs', () => {
    const request = {
      transactionId: TRANSACTION_ID,
      username: 'server:client',
      priority: 0x6e7f1eff,
      useCandidate: true,
      iceRole: { role: 'controlling' as const, tieBreaker: 2n ** 64n - 1n },
    };
    const message = parseStunMessage(buildBindingRequest({ ...request, password: PASSWORD }))!;
    expect(message).toMatchObject({ class: 'request', ...request });
    expect(verifyIntegrity(message, PASSWORD)).toBe(true);
  });

  it('an error names its code and the attributes that were unknown', () => {
    const message = parseStunMessage(
      buildErrorResponse({
        transactionId: TRANSACTION_ID,
        ...STUN_ERRORS.unknownAttribute,
        unknownAttributes: [0x7777, 0x7778],
        password: PASSWORD,
      }),
    )!;
    expect(message).toMatchObject({
      class: 'error',
      errorCode: STUN_ERRORS.unknownAttribute,
      unknownAttributes: [0x7777, 0x7778],
    });
    expect(verifyIntegrity(message, PASSWORD)).toBe(true);
  });

  it('an unauthenticated error has no integrity to check', () => {
    const message = parseStunMessage(
      buildErrorResponse({ transactionId: TRANSACTION_ID, ...STUN_ERRORS.unauthenticated }),
    )!;
    expect(message.integrityOffset).toBe(-1);
    expect(verifyIntegrity(message, PASSWORD)).toBe(false);
    expect(verifyFingerprint(message)).toBe(true);
    expect(parseStunMessage(buildBindingIndication(TRANSACTION_ID))?.class).toBe('indication');
  });
});

describe('hostile input', () => {
  const withAttributes = (...attributes: string[]) => {
    const body = vector(attributes.join(''));
    const header = vector('00010000 2112a442 b7e7a701bc34d686fa87dfae');
    header.writeUInt16BE(body.length, 2);
    return Buffer.concat([header, body]);
  };

  it('never throws on arbitrary and mutated messages, and a changed one does not authenticate', () => {
    const mutations = fc.array(fc.tuple(fc.nat(REQUEST.length - 1), fc.integer({ min: 1, max: 255 })), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(mutations, (changes) => {
        const bytes = Buffer.from(REQUEST);
        for (const [at, xor] of changes) bytes[at] = bytes[at]! ^ xor;
        const message = parseStunMessage(bytes);
        if (message === null || bytes.equals(REQUEST)) return;
        verifyFingerprint(message);
        const coveredChanged = !bytes.subarray(0, 68).equals(REQUEST.subarray(0, 68));
        if (coveredChanged) expect(verifyIntegrity(message, PASSWORD)).toBe(false);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (tail) => {
        parseStunMessage(tail);
        const message = parseStunMessage(withAttributes(Buffer.from(tail).toString('hex')));
        if (message !== null) verifyIntegrity(message, PASSWORD);
      }),
    );
  });

  it('refuses a wrong length, a wrong cookie, and anything behind FINGERPRINT', () => {
    expect(parseStunMessage(REQUEST.subarray(0, REQUEST.length - 4))).toBeNull();
    expect(parseStunMessage(Buffer.concat([REQUEST, Buffer.alloc(4)]))).toBeNull();
    const wrongCookie = Buffer.from(REQUEST);
    wrongCookie[4] = 0;
    expect(parseStunMessage(wrongCookie)).toBeNull();
    expect(parseStunMessage(withAttributes('80280004', '00000000', '00250000'))).toBeNull();
  });

  it('ignores USE-CANDIDATE that an attacker appended behind MESSAGE-INTEGRITY', () => {
    const integrity = '00080014' + '00'.repeat(20);
    expect(parseStunMessage(withAttributes(integrity, '00250000'))?.useCandidate).toBe(false);
    expect(parseStunMessage(withAttributes('00250000', integrity))?.useCandidate).toBe(true);
  });

  it('lists unknown attributes that must be understood and skips optional ones', () => {
    expect(parseStunMessage(withAttributes('7fff0000', 'c0570004', '00000000'))?.unknownRequired).toEqual([
      0x7fff,
    ]);
  });

  it('reads a bounded number of attributes', () => {
    const many = Array<string>(STUN_ATTRIBUTES_MAX).fill('80220000');
    expect(parseStunMessage(withAttributes(...many))).not.toBeNull();
    expect(parseStunMessage(withAttributes(...many, '80220000'))).toBeNull();
  });

  it('refuses a message that claims both ICE roles', () => {
    const tieBreaker = '0000000000000001';
    expect(parseStunMessage(withAttributes('80290008', tieBreaker, '802a0008', tieBreaker))).toBeNull();
  });
});

describe('IP addresses', () => {
  it.each([
    ['::', '00'.repeat(16)],
    ['::1', '00'.repeat(15) + '01'],
    ['2001:db8::1', '20010db8' + '00'.repeat(11) + '01'],
    ['2001:db8:0:1:1:1:1:1', '20010db8000000010001000100010001'],
    ['2001:0:0:1::1', '20010000000000010000000000000001'],
  ])('%s is canonical both ways', (text, hex) => {
    expect(ipAddressToBytes(text, 'IPv6')?.toString('hex')).toBe(hex);
    expect(bytesToIpAddress(Buffer.from(hex, 'hex'))).toBe(text);
  });

  it('reads embedded IPv4 and zones', () => {
    expect(ipAddressToBytes('::ffff:192.0.2.1', 'IPv6')?.toString('hex')).toBe(
      '00'.repeat(10) + 'ffffc0000201',
    );
    expect(ipAddressToBytes('fe80::1%eth0', 'IPv6')?.toString('hex')).toBe('fe80' + '00'.repeat(13) + '01');
  });

  it('refuses what is no address', () => {
    for (const text of [
      '',
      ':',
      ':::',
      '1::2::3',
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:8:9',
      '1:2:3:4:5:6:7::8',
      'g::',
      '1.2.3.4::',
      '12345::',
    ]) {
      expect(ipAddressToBytes(text, 'IPv6'), text).toBeNull();
    }
    for (const text of ['', '1.2.3', '1.2.3.256', '1.2.3.4.5', ' 1.2.3.4', '::1']) {
      expect(ipAddressToBytes(text, 'IPv4'), text).toBeNull();
    }
    fc.assert(fc.property(fc.string(), (text) => void ipAddressToBytes(text, 'IPv6')));
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        expect(ipAddressToBytes(text, 'IPv6')).toHaveLength(16);
      }),
    );
  });
});
