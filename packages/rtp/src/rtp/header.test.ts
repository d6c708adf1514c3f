import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  classifyPacket,
  findHeaderExtension,
  extensionLength,
  extensionOffset,
  HeaderExtensionBlock,
  parseRtpPacket,
  readMarker,
  readOriginalSequence,
  readPayloadType,
  readSequence,
  rtpHeaderLength,
  unwrapRtx,
  wrapRtx,
  writePayloadType,
  writeRtpPacket,
} from './index.js';

const uint = (max: number) => fc.integer({ min: 0, max });
const data = (minLength: number, maxLength: number) =>
  fc.uint8Array({ minLength, maxLength }).map((bytes) => Buffer.from(bytes));
const packets = fc.record({
  payloadType: uint(127),
  marker: fc.boolean(),
  sequence: uint(0xffff),
  timestamp: uint(0xffffffff),
  ssrc: uint(0xffffffff),
  csrcs: fc.array(uint(0xffffffff), { maxLength: 15 }),
  extensions: fc.uniqueArray(fc.record({ id: fc.integer({ min: 1, max: 255 }), data: data(0, 40) }), {
    maxLength: 16,
    selector: (element) => element.id,
  }),
  payload: data(0, 60),
  paddingLength: uint(255),
});

describe('RTP header', () => {
  it('gives back every packet that it wrote', () => {
    fc.assert(
      fc.property(packets, (packet) => {
        expect(parseRtpPacket(writeRtpPacket(packet))).toEqual(packet);
      }),
    );
  });

  it('never throws and never points outside on arbitrary and mutated bytes', () => {
    const mutated = fc
      .tuple(packets, fc.array(fc.tuple(fc.nat(80), uint(255)), { maxLength: 6 }), fc.nat(120))
      .map(([packet, changes, cut]) => {
        const bytes = writeRtpPacket(packet);
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        return bytes.subarray(0, bytes.length - Math.min(cut, bytes.length));
      });
    fc.assert(
      fc.property(fc.oneof(mutated, data(0, 80)), uint(255), (bytes, id) => {
        parseRtpPacket(bytes);
        classifyPacket(bytes);
        const headerLength = rtpHeaderLength(bytes, bytes.length);
        expect(headerLength).toBeLessThanOrEqual(bytes.length);
        if (headerLength === -1) return;
        readOriginalSequence(bytes, headerLength, bytes.length);
        const element = findHeaderExtension(bytes, headerLength, id);
        if (element === -1) return;
        expect(extensionOffset(element) + extensionLength(element)).toBeLessThanOrEqual(headerLength);
      }),
    );
  });

  it('reads a packet by hand-made bytes: one CSRC, one-byte extension with padding inside', () => {
    const bytes = Buffer.from(
      '91e012340000567811223344' + 'aabbccdd' + 'bede0002' + '1000220102000000' + 'cafe',
      'hex',
    );
    const headerLength = rtpHeaderLength(bytes, bytes.length);
    expect(headerLength).toBe(12 + 4 + 4 + 8);
    expect([readMarker(bytes), readPayloadType(bytes), readSequence(bytes)]).toEqual([true, 96, 0x1234]);
    expect(parseRtpPacket(bytes)?.extensions).toEqual([
      { id: 1, data: Buffer.from([0x00]) },
      { id: 2, data: Buffer.from([0x01, 0x02, 0x00]) },
    ]);
  });

  it('stops at the reserved ids of the one-byte form', () => {
    const withElements = (elements: string) =>
      parseRtpPacket(Buffer.from('906000010000000000000001bede0002' + elements, 'hex'))?.extensions.length;
    expect(withElements('10aa20bb00000000')).toBe(2);
    expect(withElements('f0aa20bb00000000')).toBe(0);
    expect(withElements('10aa01bbcc20dd00')).toBe(1);
  });

  it('refuses version 1, cut headers and impossible padding', () => {
    const good = writeRtpPacket({
      payloadType: 96,
      sequence: 1,
      timestamp: 2,
      ssrc: 3,
      payload: Buffer.alloc(4),
    });
    expect(rtpHeaderLength(good, 11)).toBe(-1);
    expect(rtpHeaderLength(good, good.length + 1)).toBe(-1);
    const versionOne = Buffer.from(good);
    versionOne[0] = 0x40;
    expect(rtpHeaderLength(versionOne, versionOne.length)).toBe(-1);
    const padded = Buffer.from(good);
    padded[0] = 0xa0;
    padded[padded.length - 1] = 5;
    expect(parseRtpPacket(padded)).toBeNull();
  });

  it('changes the payload type and keeps the marker', () => {
    const packet = writeRtpPacket({
      payloadType: 96,
      marker: true,
      sequence: 1,
      timestamp: 2,
      ssrc: 3,
      payload: Buffer.alloc(1),
    });
    writePayloadType(packet, 45);
    expect(parseRtpPacket(packet)).toMatchObject({ payloadType: 45, marker: true });
  });
});

describe('header extension block', () => {
  const compose = (elements: [id: number, length: number][]) => {
    const block = new HeaderExtensionBlock();
    for (const [id, length] of elements) block.append(id, Buffer.alloc(length, 7), 0, length);
    const target = Buffer.alloc(block.byteLength, 0xff);
    expect(block.writeTo(target, 0)).toBe(target.length);
    return target;
  };

  it('takes the one-byte form while it can', () => {
    expect(
      compose([
        [1, 1],
        [14, 16],
      ]).readUInt16BE(0),
    ).toBe(0xbede);
    expect(compose([[15, 1]]).readUInt16BE(0)).toBe(0x1000);
    expect(compose([[1, 17]]).readUInt16BE(0)).toBe(0x1000);
    expect(compose([[1, 0]]).readUInt16BE(0)).toBe(0x1000);
    expect(compose([])).toHaveLength(0);
  });

  it('pads to 32 bits with zeros', () => {
    expect(compose([[3, 2]]).toString('hex')).toBe('bede0001' + '31070700');
  });

  it('refuses what does not fit and stays as it was', () => {
    const block = new HeaderExtensionBlock();
    expect(block.append(0, Buffer.alloc(1), 0, 1)).toBe(false);
    expect(block.append(256, Buffer.alloc(1), 0, 1)).toBe(false);
    expect(block.append(1, Buffer.alloc(256), 0, 256)).toBe(false);
    expect(block.byteLength).toBe(0);
    for (let id = 1; id <= 16; id += 1) expect(block.appendUInt(id, id, 1)).toBe(true);
    expect(block.appendUInt(17, 1, 1)).toBe(false);
  });
});

describe('RTX', () => {
  it('comes back as the original, without padding', () => {
    fc.assert(
      fc.property(packets, uint(0xffff), (packet, rtxSequence) => {
        const original = writeRtpPacket(packet);
        const buffer = Buffer.concat([original, Buffer.alloc(2)]);
        const headerLength = rtpHeaderLength(original, original.length);
        const rtxLength = wrapRtx(
          buffer,
          headerLength,
          original.length,
          { ssrc: 9, payloadType: 97 },
          rtxSequence,
        );
        const rtx = parseRtpPacket(buffer.subarray(0, rtxLength));
        expect(rtx).toMatchObject({
          ssrc: 9,
          payloadType: 97,
          sequence: rtxSequence,
          extensions: packet.extensions,
        });
        const length = unwrapRtx(buffer, headerLength, rtxLength, packet);
        expect(parseRtpPacket(buffer.subarray(0, length))).toEqual({ ...packet, paddingLength: 0 });
      }),
    );
  });

  it('sees that a probing packet of padding carries no original', () => {
    const probe = writeRtpPacket({
      payloadType: 97,
      sequence: 1,
      timestamp: 2,
      ssrc: 3,
      payload: Buffer.alloc(0),
      paddingLength: 200,
    });
    expect(readOriginalSequence(probe, 12, probe.length)).toBe(-1);
    expect(unwrapRtx(probe, 12, probe.length, { ssrc: 1, payloadType: 96 })).toBe(-1);
  });
});

describe('demultiplexing', () => {
  it('follows RFC 7983 and RFC 5761', () => {
    const kinds = [
      [0, 1],
      [3, 0],
      [4, 0],
      [19, 0],
      [20, 0],
      [63, 0],
      [64, 0],
      [127, 0],
      [128, 96],
      [191, 96],
    ];
    expect(kinds.map((bytes) => classifyPacket(Uint8Array.from(bytes)))).toEqual([
      'stun',
      'stun',
      'unknown',
      'unknown',
      'dtls',
      'dtls',
      'unknown',
      'unknown',
      'rtp',
      'rtp',
    ]);
    const second = [191, 192, 200, 206, 223, 224].map((type) => classifyPacket(Uint8Array.of(0x80, type)));
    expect(second).toEqual(['rtp', 'rtcp', 'rtcp', 'rtcp', 'rtcp', 'rtp']);
    expect(classifyPacket(new Uint8Array())).toBe('unknown');
  });
});
