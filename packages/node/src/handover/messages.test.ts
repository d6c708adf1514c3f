import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TRANSFER_FRAGMENTS_MAX } from '../limits.js';
import { decodeHandoverMessage, encodeHandoverMessage, type HandoverMessage } from './messages.js';

const id = fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('hex'));
const epoch = fc.integer({ min: 0, max: 0xffffffff });

describe('handover messages', () => {
  it('arrive as they were sent', () => {
    const simple = fc.record({
      kind: fc.constantFrom('pathNominated', 'accepted', 'refused', 'release', 'released', 'forgotten'),
      moveId: id,
      epoch,
    }) as fc.Arbitrary<HandoverMessage>;
    const abort = fc.record({ kind: fc.constant('abort' as const), moveId: id, epoch, ownerEpoch: epoch });
    const proven = fc.record({ kind: fc.constant('pathProven' as const), moveId: id, epoch, pathId: epoch });
    const transfer = fc
      .record({
        moveId: id,
        epoch,
        fragments: fc.integer({ min: 1, max: TRANSFER_FRAGMENTS_MAX }),
        fragment: fc.nat(),
        bytes: fc.uint8Array({ minLength: 1, maxLength: 1_024 }).map((bytes) => Buffer.from(bytes)),
      })
      .map((value): HandoverMessage => ({
        ...value,
        kind: 'transfer',
        fragment: value.fragment % value.fragments,
      }));
    fc.assert(
      fc.property(fc.oneof(simple, abort, proven, transfer), (message) => {
        expect(decodeHandoverMessage(encodeHandoverMessage(message))).toEqual(message);
      }),
    );
  });

  it('are ignored, never thrown at, when a peer sends nonsense', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const message = decodeHandoverMessage(Buffer.from([1, ...bytes]));
        if (message?.kind === 'transfer') expect(message.fragment).toBeLessThan(message.fragments);
      }),
    );
  });
});
