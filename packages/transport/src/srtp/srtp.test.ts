import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SSRC_CONTEXTS_MAX, type SrtpKeys, type SrtpProfile } from '@godwit/datapath';
import {
  GUARD_ABOVE_CEILING,
  GUARD_BELOW_FLOOR,
  GUARD_REUSED,
  SrtpReceiver,
  SrtpSender,
  UNPROTECT_AUTHENTICATION_FAILED,
  UNPROTECT_REPLAYED,
  UNPROTECT_TOO_MANY_SSRCS,
  UNPROTECT_TOO_SHORT,
} from './index.js';
import { PROFILE_SIZES } from './profile.js';

const PROFILES: SrtpProfile[] = ['AEAD_AES_128_GCM', 'AEAD_AES_256_GCM', 'AES_CM_128_HMAC_SHA1_80'];

/** The same secret both ways, so that one object serves both ends of a test. */
function testKeys(profile: SrtpProfile): SrtpKeys {
  const { key, salt } = PROFILE_SIZES[profile];
  const secret = Buffer.alloc(key, 0x41);
  const saltBytes = Buffer.alloc(salt, 0x42);
  return { profile, localKey: secret, localSalt: saltBytes, remoteKey: secret, remoteSalt: saltBytes };
}
const gcm = testKeys('AEAD_AES_128_GCM');

function rtp(index: number, ssrc = 7, payload = 'payload'): { buffer: Buffer; length: number } {
  const length = 12 + payload.length;
  const buffer = Buffer.alloc(length + 20);
  buffer[0] = 0x80;
  buffer.writeUInt16BE(index & 0xffff, 2);
  buffer.writeUInt32BE(ssrc, 8);
  buffer.write(payload, 12);
  return { buffer, length };
}

function protectedRtp(sender: SrtpSender, index: number, ssrc = 7): Buffer {
  const { buffer, length } = rtp(index, ssrc);
  const total = sender.protectRtp(buffer, 12, length, index);
  expect(total).toBeGreaterThan(length);
  return buffer.subarray(0, total);
}

function protectedRtcp(sender: SrtpSender, ssrc = 7): Buffer {
  const buffer = Buffer.alloc(32 + 20, 0xab);
  buffer.writeUInt32BE(ssrc, 4);
  return buffer.subarray(0, sender.protectRtcp(buffer, 32));
}

const receive = (receiver: SrtpReceiver, packet: Buffer) =>
  receiver.unprotectRtp(Buffer.from(packet), 12, packet.length);

describe.each(PROFILES)('%s', (profile) => {
  it('carries RTP over a rollover in any order and tells the index', () => {
    const sender = new SrtpSender(testKeys(profile));
    const receiver = new SrtpReceiver(testKeys(profile));
    for (const index of [65_530, 65_537, 65_535, 65_536, 98_000, 130_000, 131_080]) {
      const packet = protectedRtp(sender, index);
      expect(receiver.unprotectRtp(packet, 12, packet.length)).toBe(19);
      expect(packet.toString('latin1', 12, 19)).toBe('payload');
      expect(receiver.lastIndex).toBe(index);
    }
  });

  it('carries RTCP under rising indices', () => {
    const sender = new SrtpSender(testKeys(profile));
    const receiver = new SrtpReceiver(testKeys(profile));
    for (let index = 0; index < 3; index += 1) {
      const packet = protectedRtcp(sender);
      expect(receiver.unprotectRtcp(packet, packet.length)).toBe(32);
      expect(packet.subarray(8, 32)).toEqual(Buffer.alloc(24, 0xab));
      expect(receiver.lastIndex).toBe(index);
    }
    expect(sender.nextRtcpIndex(7)).toBe(3);
  });

  it('refuses any changed bit and leaves the packet as it was', () => {
    const packet = protectedRtp(new SrtpSender(testKeys(profile)), 5);
    const receiver = new SrtpReceiver(testKeys(profile));
    for (let bit = 0; bit < packet.length * 8; bit += 1) {
      const changed = Buffer.from(packet);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const before = Buffer.from(changed);
      expect(receiver.unprotectRtp(changed, 12, changed.length)).toBe(UNPROTECT_AUTHENTICATION_FAILED);
      expect(changed).toEqual(before);
    }
    expect(receiver.freeze().receive).toEqual([]);
  });

  it('never throws on arbitrary packets', () => {
    const receiver = new SrtpReceiver(testKeys(profile));
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 0, maxLength: 80 }),
        fc.integer({ min: 0, max: 90 }),
        (bytes, header) => {
          expect(receiver.unprotectRtp(Buffer.from(bytes), header, bytes.length)).toBeLessThan(0);
          expect(receiver.unprotectRtcp(Buffer.from(bytes), bytes.length)).toBeLessThan(0);
        },
      ),
    );
  });
});

describe('SrtpReceiver', () => {
  it('refuses replays and what is older than the window', () => {
    const sender = new SrtpSender(gcm);
    const receiver = new SrtpReceiver(gcm);
    const old = protectedRtp(sender, 100);
    const edge = protectedRtp(sender, 101);
    const newest = protectedRtp(sender, 101 + 1_023);
    expect(receive(receiver, newest)).toBe(19);
    expect(receive(receiver, edge)).toBe(19);
    expect([newest, edge, old].map((packet) => receive(receiver, packet))).toEqual([
      UNPROTECT_REPLAYED,
      UNPROTECT_REPLAYED,
      UNPROTECT_REPLAYED,
    ]);
  });

  it('refuses replayed and unencrypted RTCP', () => {
    const packet = protectedRtcp(new SrtpSender(gcm));
    const receiver = new SrtpReceiver(gcm);
    const clear = Buffer.from(packet);
    clear[clear.length - 4] = 0;
    expect(receiver.unprotectRtcp(clear, clear.length)).toBe(UNPROTECT_AUTHENTICATION_FAILED);
    expect(receiver.unprotectRtcp(Buffer.from(packet), packet.length)).toBe(32);
    expect(receiver.unprotectRtcp(Buffer.from(packet), packet.length)).toBe(UNPROTECT_REPLAYED);
  });

  it('goes on from a frozen state: same windows, same rollover counter', () => {
    const sender = new SrtpSender(gcm);
    const first = new SrtpReceiver(gcm);
    const packets = [65_530, 65_537, 65_533].map((index) => protectedRtp(sender, index));
    for (const packet of packets) receive(first, packet);
    const second = SrtpReceiver.thaw(gcm, first.freeze());
    expect(packets.map((packet) => receive(second, packet))).toEqual(packets.map(() => UNPROTECT_REPLAYED));
    expect(receive(second, protectedRtp(sender, 65_534))).toBe(19);
    expect(second.lastIndex).toBe(65_534);
    expect(receive(second, protectedRtp(sender, 65_540))).toBe(19);
    expect(second.freeze().receive[0]?.highestIndex).toBe(65_540);
  });

  it('bounds its contexts and tells what is too short', () => {
    const sender = new SrtpSender(gcm);
    const receiver = new SrtpReceiver(gcm);
    const extra = protectedRtp(new SrtpSender(gcm), 1, 1_000_000);
    for (let ssrc = 0; ssrc < SSRC_CONTEXTS_MAX; ssrc += 1) receive(receiver, protectedRtp(sender, 1, ssrc));
    expect(receive(receiver, extra)).toBe(UNPROTECT_TOO_MANY_SSRCS);
    expect(receiver.unprotectRtp(Buffer.alloc(27), 12, 27)).toBe(UNPROTECT_TOO_SHORT);
    expect(receiver.unprotectRtcp(Buffer.alloc(27), 27)).toBe(UNPROTECT_TOO_SHORT);
  });

  it('rejects malformed states', () => {
    const entry = { ssrc: 1, highestIndex: 5, window: Buffer.alloc(128) };
    const thaw = (receive: (typeof entry)[]) => () => SrtpReceiver.thaw(gcm, { receive, receiveRtcp: [] });
    expect(thaw([entry, entry])).toThrow(RangeError);
    expect(thaw([{ ...entry, highestIndex: -1 }])).toThrow(RangeError);
    expect(thaw([{ ...entry, window: Buffer.alloc(127) }])).toThrow(RangeError);
  });

  it('fails every packet once its keys are zeroed', () => {
    const packet = protectedRtp(new SrtpSender(gcm), 1);
    const receiver = new SrtpReceiver(gcm);
    receiver.zero();
    expect(receive(receiver, packet)).toBe(UNPROTECT_AUTHENTICATION_FAILED);
  });
});

describe('SrtpSender', () => {
  it('leaves a refused packet as it was and says why', () => {
    const sender = new SrtpSender(gcm);
    protectedRtp(sender, 5);
    const again = rtp(5, 7, 'another');
    const before = Buffer.from(again.buffer);
    expect(sender.protectRtp(again.buffer, 12, again.length, 5)).toBe(GUARD_REUSED);
    expect(again.buffer).toEqual(before);
    expect(sender.lastRefusal).toEqual({ ssrc: 7, index: 5, reason: 'reused' });
    protectedRtp(sender, 5 + 1_024);
    const stale = rtp(4);
    expect(sender.protectRtp(stale.buffer, 12, stale.length, 4)).toBe(GUARD_BELOW_FLOOR);
  });

  it('goes on within its grant, without new SSRCs, until the ceiling is lifted', () => {
    const source = new SrtpSender(gcm);
    protectedRtp(source, 99);
    protectedRtcp(source);
    const target = SrtpSender.thaw(gcm, source.freeze(), { count: 2 });
    const attempt = (index: number, ssrc = 7) => {
      const { buffer, length } = rtp(index, ssrc);
      return target.protectRtp(buffer, 12, length, index);
    };
    expect(target.nextIndex(7)).toBe(100);
    expect([99, 100, 101, 102].map((index) => Math.min(attempt(index), 0))).toEqual([
      GUARD_BELOW_FLOOR,
      0,
      0,
      GUARD_ABOVE_CEILING,
    ]);
    expect(attempt(1, 8)).toBe(GUARD_ABOVE_CEILING);
    expect(target.nextRtcpIndex(7)).toBe(1);
    expect(target.isLimited).toBe(true);
    target.liftCeiling();
    expect(attempt(102)).toBeGreaterThan(0);
    expect(attempt(1, 8)).toBeGreaterThan(0);
  });

  it('gives nothing away while it is limited', () => {
    const source = new SrtpSender(gcm);
    protectedRtp(source, 99);
    const limited = SrtpSender.thaw(gcm, source.freeze(), { count: 2 });
    const next = SrtpSender.thaw(gcm, limited.freeze(), { count: null });
    const { buffer, length } = rtp(101);
    for (const sender of [limited, next]) expect(sender.protectRtp(buffer, 12, length, 101)).toBeLessThan(0);
    expect(() => limited.resume(0, { count: null })).toThrow();
  });

  it('is refused everything while frozen and after zero', () => {
    const sender = new SrtpSender(gcm);
    protectedRtp(sender, 1);
    sender.freeze();
    const { buffer, length } = rtp(2);
    expect(sender.protectRtp(buffer, 12, length, 2)).toBe(GUARD_ABOVE_CEILING);
    sender.resume(10, { count: null });
    expect(sender.nextIndex(7)).toBe(12);
    sender.zero();
    expect(sender.protectRtp(rtp(20).buffer, 12, length, 20)).toBe(GUARD_ABOVE_CEILING);
    expect(sender.protectRtcp(Buffer.alloc(60), 32)).toBe(GUARD_ABOVE_CEILING);
  });

  it('throws on a missing trailer room, a foreign index and keys of a wrong size', () => {
    const sender = new SrtpSender(gcm);
    const { buffer, length } = rtp(1);
    expect(() => sender.protectRtp(buffer.subarray(0, length + 15), 12, length, 1)).toThrow(RangeError);
    expect(() => sender.protectRtp(buffer, 12, length, 2)).toThrow(RangeError);
    expect(() => sender.protectRtcp(Buffer.alloc(51), 32)).toThrow(RangeError);
    expect(() => new SrtpSender({ ...gcm, localKey: Buffer.alloc(15) })).toThrow(RangeError);
  });

  it('does not need the caller’s key bytes any more', () => {
    const keys = { ...gcm, localKey: Buffer.from(gcm.localKey), localSalt: Buffer.from(gcm.localSalt) };
    const sender = new SrtpSender(keys);
    keys.localKey.fill(0);
    keys.localSalt.fill(0);
    expect(receive(new SrtpReceiver(gcm), protectedRtp(sender, 1))).toBe(19);
  });
});
