import { afterEach, describe, expect, it, vi } from 'vitest';
import { orderCodecs, receivableVideoCodecs } from './codecs.js';

const codecs = (...names: string[]): { mimeType: string; clockRate: number }[] =>
  names.map((name) => ({ mimeType: `video/${name}`, clockRate: 90_000 }));

afterEach(() => vi.unstubAllGlobals());

describe('what a video receiver offers', () => {
  it('is everything in the browser’s order but error correction', () => {
    const all = codecs('VP8', 'rtx', 'VP9', 'red', 'ulpfec', 'AV1', 'flexfec-03');
    vi.stubGlobal('RTCRtpReceiver', { getCapabilities: () => ({ codecs: all }) });
    expect(receivableVideoCodecs()).toEqual(codecs('VP8', 'rtx', 'VP9', 'AV1'));
  });

  it('is left to a browser that does not tell what it can', () => {
    vi.stubGlobal('RTCRtpReceiver', { getCapabilities: () => null });
    expect(receivableVideoCodecs()).toBeUndefined();
  });
});

describe('what a video sender prefers', () => {
  it('is the wished first, the others behind, repair formats last', () => {
    const codecs = ['video/VP8', 'video/rtx', 'video/H264', 'video/AV1'].map((mimeType) => ({
      mimeType,
      clockRate: 90_000,
    }));
    expect(orderCodecs(codecs, ['av1', 'h264']).map(({ mimeType }) => mimeType)).toEqual([
      'video/AV1',
      'video/H264',
      'video/VP8',
      'video/rtx',
    ]);
  });
});
