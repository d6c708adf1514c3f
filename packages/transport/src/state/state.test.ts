import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  SSRC_CONTEXTS_MAX,
  type FrozenEgress,
  type FrozenMedia,
  type FrozenReceive,
  type SrtpKeys,
} from '@godwit/datapath';
import { MEDIA_SECTIONS_MAX } from '@godwit/protocol';
import { decodePortableTransport, encodePortableTransport } from './codec.js';
import type { PortableTransport } from './portable-transport.js';
import { CODECS, type SchemaCodec } from './codec.js';
import { STATE_SCHEMAS } from './schemas.js';

/** 64 fragments of 1,024 bytes; sealing adds some 100. */
const TRANSFER_BYTES_MAX = 65_536 - 256;
const SECRET = 'secret key bytes';
const keys: SrtpKeys = {
  profile: 'AEAD_AES_128_GCM',
  localKey: Buffer.from(SECRET),
  localSalt: Buffer.alloc(12, 2),
  remoteKey: Buffer.alloc(16, 3),
  remoteSalt: Buffer.alloc(12, 4),
};
const ssrcOf = (n: number) => 0xf000_0000 + n;

function received(ssrc: number, window = Buffer.alloc(128, 0xff)): FrozenReceive {
  return { ssrc, highestIndex: 2 ** 31 + 12_345, window };
}

function egress(ssrc: number, mappingCount: number): FrozenEgress {
  const mappings = Array.from({ length: mappingCount }, (_, n) => ({
    fromSourceIndex: 2 ** 31 + n * 700,
    indexOffset: -(2 ** 30) + n * 650,
  }));
  return {
    ssrc,
    lastSourceIndex: 2 ** 31 + 9_000,
    timestampOffset: 0xfedc_ba98,
    mappings,
    packets: 2 ** 31,
    octets: 2 ** 41,
  };
}

function stateOf(media: Partial<FrozenMedia>): PortableTransport {
  return {
    schema: 1,
    transportId: '00112233aabbccdd',
    epoch: 7,
    ice: {
      local: { ufrag: 'A'.repeat(16), pwd: 'B'.repeat(24) },
      remote: { ufrag: 'abcd', pwd: 'C'.repeat(24) },
      previous: null,
      heardAgeMs: 1_234,
    },
    media: {
      keys,
      receive: [],
      receiveRtcp: [],
      send: [],
      sendRtcp: [],
      ingress: [],
      egress: [],
      transportCcNext: 65_535,
      arrivals: [],
      absSendTime: 16_777_215,
      ...media,
    },
    feedback: { feedbackCount: 255, nextSequence: 65_535, clockMicros: 123_456_789_012 },
  };
}

function subscriber(egressCount: number, mappingCount: number): PortableTransport {
  const sending = Array.from({ length: egressCount }, (_, n) => [ssrcOf(2 * n), ssrcOf(2 * n + 1)]).flat();
  return stateOf({
    egress: Array.from({ length: egressCount }, (_, n) => egress(ssrcOf(2 * n), mappingCount)),
    send: sending.map((ssrc) => ({ ssrc, nextIndex: 2 ** 31 + 5 })),
    sendRtcp: [{ ssrc: ssrcOf(9_999), nextIndex: 54_321 }],
    receiveRtcp: [{ ...received(1), highestIndex: 1_000_000 }],
  });
}

/** One encoding is audio, video and RTX: three SSRCs. Three encodings are seven. */
function publisher(ssrcCount = 3): PortableTransport {
  const ssrcs = Array.from({ length: ssrcCount }, (_, n) => ssrcOf(n));
  const gap = Buffer.alloc(128, 0xff);
  gap[2] = 0x0f;
  return stateOf({
    receive: ssrcs.map((ssrc) => received(ssrc, gap)),
    receiveRtcp: ssrcs.map((ssrc) => ({ ...received(ssrc), highestIndex: 1_000_000 })),
    sendRtcp: [{ ssrc: ssrcOf(9_999), nextIndex: 54_321 }],
    ingress: ssrcs
      .slice(0, 4)
      .map((ssrc) => ({ streamId: '0123456789abcdef', encodingId: 0, ssrc, rtxSsrc: ssrc + 10 })),
    arrivals: Array.from({ length: 30 }, (_, n) => ({ sequence: 65_530 + n, ageMicros: 50_000 - n * 1_600 })),
  });
}

const roundTrip = (state: PortableTransport) => decodePortableTransport(encodePortableTransport(state, 1));

describe('the portable state', () => {
  it.each([
    ['a subscriber', subscriber(3, 2)],
    ['a publisher', publisher()],
    ['a transport without feedback', { ...stateOf({}), feedback: null }],
  ])('of %s comes back as it was', (_name, state) => {
    expect(roundTrip(state)).toEqual({ ok: true, state });
  });

  it('carries any replay window, send history and arrivals', () => {
    const window = fc.uint8Array({ minLength: 128, maxLength: 128 }).map((bytes) => Buffer.from(bytes));
    const arrival = fc.record({ sequence: fc.nat({ max: 2 ** 40 }), ageMicros: fc.nat({ max: 2 ** 40 }) });
    fc.assert(
      fc.property(window, fc.nat({ max: 2 ** 48 }), fc.array(arrival), (bytes, nextIndex, arrivals) => {
        const state = stateOf({ receive: [received(5, bytes)], send: [{ ssrc: 1, nextIndex }], arrivals });
        expect(roundTrip(state)).toEqual({ ok: true, state });
      }),
    );
  });

  it('needs at most 1 KB and 300 bytes per stream, with RTX and every mapping in use', () => {
    const sizeOf = (state: PortableTransport) => encodePortableTransport(state, 1).length;
    for (const count of [0, 1, 10, 50]) {
      expect(sizeOf(subscriber(count, 8))).toBeLessThanOrEqual(1_024 + 300 * count);
    }
    expect(sizeOf(publisher(3))).toBeLessThanOrEqual(1_024 + 300 * 2);
    expect(sizeOf(publisher(7))).toBeLessThanOrEqual(1_024 + 300 * 4);
  });

  it('of a transport that has had as many egresses as it may, and has as many as fit, fits into one TRANSFER', () => {
    const spent = Array.from({ length: SSRC_CONTEXTS_MAX }, (_, n) => ({
      ssrc: ssrcOf(n),
      nextIndex: 2 ** 31 + n,
    }));
    const state = stateOf({ ...subscriber(MEDIA_SECTIONS_MAX, 2).media, send: spent });
    expect(roundTrip(state)).toEqual({ ok: true, state });
    expect(encodePortableTransport(state, 1).length).toBeLessThan(TRANSFER_BYTES_MAX);
  });

  it('has no key bytes in its header', () => {
    const bytes = encodePortableTransport(subscriber(1, 1), 1);
    const headerEnd = 10 + bytes.readUInt32BE(6);
    const places = [SECRET, Buffer.from(SECRET).toString('base64'), Buffer.from(SECRET).toString('hex')].map(
      (text) => bytes.indexOf(text),
    );
    expect(places).toEqual([headerEnd, -1, -1]);
  });

  it('survives the zeroing of the bytes it came from', () => {
    const bytes = encodePortableTransport(publisher(), 1);
    const decoded = decodePortableTransport(bytes);
    bytes.fill(0);
    expect(decoded).toEqual({ ok: true, state: publisher() });
  });
});

describe('what is not a state', () => {
  const good = encodePortableTransport(subscriber(2, 2), 1);

  /** The same state with its header changed. */
  function withHeader(change: (header: Record<string, unknown>) => void): Buffer {
    const end = 10 + good.readUInt32BE(6);
    const header = JSON.parse(good.toString('utf8', 10, end)) as Record<string, unknown>;
    change(header);
    const json = Buffer.from(JSON.stringify(header));
    const preamble = Buffer.from(good.subarray(0, 10));
    preamble.writeUInt32BE(json.length, 6);
    return Buffer.concat([preamble, json, good.subarray(end)]);
  }
  const otherSchema = Buffer.from(good);
  otherSchema.writeUInt16BE(2, 4);

  it.each([
    ['tooLarge', Buffer.alloc(256 * 1024 + 1)],
    ['notAState', Buffer.alloc(0)],
    ['notAState', Buffer.alloc(100)],
    ['unsupportedSchema', otherSchema],
    ['invalidBody', good.subarray(0, -1)],
    ['invalidBody', Buffer.concat([good, Buffer.from([0])])],
    ['invalidHeader', withHeader((header) => (header['newCipher'] = 'x'))],
    ['invalidHeader', withHeader((header) => (header['profile'] = 'NULL'))],
    [
      'invalidHeader',
      withHeader(
        (header) =>
          (header['send'] = [
            [1, 5],
            [1, 9],
          ]),
      ),
    ],
    ['invalidHeader', withHeader((header) => (header['send'] = [[1, 2 ** 48 + 1]]))],
    ['invalidHeader', withHeader((header) => (header['egress'] = [[1, 2, 3, 4, 5, [[-1, 0]]]]))],
    ['invalidHeader', withHeader((header) => (header['egress'] = [[1, 2, 3, 4, 5, [], 'rewrite']]))],
    ['invalidBody', withHeader((header) => (header['arrivals'] = 1))],
  ])('is refused as %s', (reason, bytes) => {
    expect(decodePortableTransport(bytes)).toEqual({ ok: false, reason });
  });

  it('never makes the decoder throw', () => {
    const changed = fc
      .array(fc.tuple(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 })
      .map((changes) => {
        const bytes = Buffer.from(good);
        for (const [at, value] of changes) bytes[at] = value;
        return bytes;
      });
    const truncated = fc.nat({ max: good.length }).map((length) => good.subarray(0, length));
    const arbitrary = fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.oneof(changed, truncated, arbitrary), (bytes) => {
        const decoded = decodePortableTransport(bytes);
        if (decoded.ok) expect(decoded.state.media.keys.localKey).toHaveLength(16);
        else expect(decoded.reason).toMatch(/^[a-zA-Z]+$/);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('schemas', () => {
  it('of the newest and the one before are read, of others none', () => {
    const [own] = CODECS.values();
    if (own === undefined) throw new Error('there is no schema 1');
    /** A layout with one more field, as a later version could have. */
    const later = (schema: number): SchemaCodec => ({
      encode: (state) => {
        const { header, body } = own.encode(state);
        return { header: { ...(header as object), added: schema }, body };
      },
      decode: (json, body) => {
        if (typeof json !== 'object' || json === null || !('added' in json)) return 'invalidHeader';
        const { added, ...rest } = json;
        const state = added === schema ? own.decode(rest, body) : 'invalidHeader';
        return typeof state === 'string' ? state : { ...state, schema };
      },
    });
    const versions = [
      new Map([[1, own]]),
      new Map([
        [1, own],
        [2, later(2)],
      ]),
      new Map([
        [2, later(2)],
        [3, later(3)],
      ]),
    ];
    for (const [reader, known] of versions.entries()) {
      for (const schema of [1, 2, 3]) {
        const writer = versions.find((codecs) => codecs.has(schema));
        const state = { ...publisher(), schema };
        const decoded = decodePortableTransport(encodePortableTransport(state, schema, writer), known);
        const isRead = schema === reader || schema === reader + 1;
        expect(decoded).toEqual(isRead ? { ok: true, state } : { ok: false, reason: 'unsupportedSchema' });
      }
    }
    // A field that a later layout added is no field of ours.
    const disguised = encodePortableTransport({ ...publisher(), schema: 2 }, 2, versions[1]);
    disguised.writeUInt16BE(1, 4);
    expect(decodePortableTransport(disguised)).toEqual({ ok: false, reason: 'invalidHeader' });
  });

  it('advertised are those that can be read and written', () => {
    expect([...CODECS.keys()].toSorted((a, b) => b - a)).toEqual([...STATE_SCHEMAS]);
  });

  it('can each be written and read', () => {
    for (const schema of STATE_SCHEMAS) {
      const state = { ...publisher(), schema };
      expect(decodePortableTransport(encodePortableTransport(state, schema))).toEqual({ ok: true, state });
    }
    expect(() => encodePortableTransport(publisher(), 99)).toThrow(RangeError);
  });
});
