import { beforeEach, describe, expect, it } from 'vitest';
import { MEDIA_SECTIONS_MAX } from '../limits.js';
import { TransceiverPool } from './transceivers.js';

// A peer connection that only counts its m-lines; a real one is under tests-browser.

const sender = {
  replaceTrack: () => Promise.resolve(),
  setStreams: () => undefined,
  getParameters: () => ({ encodings: [] }),
};
const track = { kind: 'video' } as MediaStreamTrack;

let lines: RTCRtpTransceiver[];
let pool: TransceiverPool;

beforeEach(() => {
  lines = [];
  pool = new TransceiverPool({
    addTransceiver: (_kind, init) => {
      const transceiver = { direction: init?.direction, currentDirection: null, sender };
      lines.push(transceiver as unknown as RTCRtpTransceiver);
      return lines.at(-1) as RTCRtpTransceiver;
    },
  });
});

describe('m-lines', () => {
  it('do not grow by publishing, subscribing and ending, however often', async () => {
    for (let round = 0; round < 200; round++) {
      const sent = await pool.send(track, {} as MediaStream, {});
      const received = [pool.receive('audio'), pool.receive('video')];
      expect([sent, ...received].map(({ direction }) => direction)).toEqual([
        'sendonly',
        'recvonly',
        'recvonly',
      ]);
      await Promise.all([sent, ...received].map((transceiver) => pool.release(transceiver)));
      expect(lines.map(({ direction }) => direction)).toEqual(['inactive', 'inactive', 'inactive']);
    }
  });

  it('are not shared by a sender and a receiver', async () => {
    await pool.release(pool.receive('video'));
    expect(await pool.send(track, {} as MediaStream, {})).not.toBe(lines[0]);
  });

  it('end at their limit with a named error, and are there again once one is free', async () => {
    const taken = Array.from({ length: MEDIA_SECTIONS_MAX }, () => pool.receive('video'));
    expect(() => pool.receive('video')).toThrow(
      expect.objectContaining({ name: 'OT_STREAM_LIMIT_EXCEEDED' }),
    );
    await expect(pool.send(track, {} as MediaStream, {})).rejects.toMatchObject({
      name: 'OT_STREAM_LIMIT_EXCEEDED',
    });
    await pool.release(taken[7] as RTCRtpTransceiver);
    expect(pool.receive('video')).toBe(taken[7]);
    expect(lines).toHaveLength(MEDIA_SECTIONS_MAX);
  });
});
