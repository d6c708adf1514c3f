import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LinkOptions } from '@godwit/datapath';
import { LinkCipher } from './link-cipher.js';
import { readFromClientHeader, readMediaHeader, readRepair, readToClientHeader } from './link-frames.js';
import { SendSlab } from './send-slab.js';

const slab = new SendSlab(() => true);
const options: LinkOptions = {
  linkId: 'peer',
  socket: 1,
  remote: { address: '127.0.0.1', port: 1, family: 'IPv4' },
  sessionId: randomBytes(8),
  sendKey: randomBytes(32),
  sendSalt: randomBytes(12),
  receiveKey: randomBytes(32),
  receiveSalt: randomBytes(12),
};
const mirrored: LinkOptions = {
  ...options,
  sendKey: options.receiveKey,
  sendSalt: options.receiveSalt,
  receiveKey: options.sendKey,
  receiveSalt: options.sendSalt,
};
const seal = (cipher: LinkCipher, text: string) => cipher.seal(slab, Buffer.from('h'), 1, Buffer.from(text));

describe('LinkCipher', () => {
  it('opens what the peer sealed, once and in any order', () => {
    const [sender, receiver] = [new LinkCipher(options, null), new LinkCipher(mirrored, null)];
    const frames = ['a', 'b', 'c'].map((text) => Buffer.from(seal(sender, text)));
    expect(frames.toReversed().map((frame) => receiver.open(frame)?.toString())).toEqual(['hc', 'hb', 'ha']);
    expect(frames.map((frame) => receiver.open(frame))).toEqual(['replayed', 'replayed', 'replayed']);
  });

  it('refuses a changed byte anywhere and anything arbitrary', () => {
    const [sender, receiver] = [new LinkCipher(options, null), new LinkCipher(mirrored, null)];
    fc.assert(
      fc.property(
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        fc.uint8Array({ maxLength: 80 }),
        (at, flip, noise) => {
          const frame = Buffer.from(seal(sender, 'text'));
          // The first nine bytes choose the link and are authenticated all the same.
          frame[at % frame.length] = (frame[at % frame.length] ?? 0) ^ flip;
          expect(receiver.open(frame)).toBeNull();
          expect(receiver.open(Buffer.from(noise))).toBeNull();
        },
      ),
    );
  });

  it('goes on counting when a link is added again under the same key', () => {
    const first = new LinkCipher(options, null);
    const one = Buffer.from(seal(first, 'same'));
    const again = Buffer.from(seal(new LinkCipher(options, first), 'same'));
    expect(again.equals(one)).toBe(false);
    expect(again.readUInt32BE(13)).toBe(one.readUInt32BE(13) + 1);
  });
});

describe('link frames', () => {
  it('reads any bytes without throwing and within bounds', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1_600 }), (noise) => {
        const frame = Buffer.from(noise);
        readMediaHeader(frame);
        readFromClientHeader(frame);
        readToClientHeader(frame);
        expect(readRepair(frame, 8)?.indices.length ?? 0).toBeLessThanOrEqual(8);
      }),
    );
  });
});
