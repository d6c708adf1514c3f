import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodePeerMessage, encodePeerMessage, type PeerMessage } from './peer-messages.js';

const stream = fc.record({
  streamId: fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('hex')),
  encodingId: fc.integer({ min: 0, max: 255 }),
});
const word = fc.integer({ min: 0, max: 0xffffffff });

describe('messages between routers', () => {
  it('arrive as they were sent', () => {
    const message: fc.Arbitrary<PeerMessage> = fc.oneof(
      fc.record({ kind: fc.constant('keyFrameRequest' as const), stream }),
      fc.record({
        kind: fc.constant('senderReport' as const),
        stream,
        ntpSeconds: word,
        ntpFraction: word,
        rtpTimestamp: word,
      }),
    );
    fc.assert(
      fc.property(message, (value) => {
        expect(decodePeerMessage(encodePeerMessage(value))).toEqual(value);
      }),
    );
  });

  it('are ignored when malformed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(() => decodePeerMessage(Buffer.from([3, ...bytes]))).not.toThrow();
      }),
    );
  });
});
