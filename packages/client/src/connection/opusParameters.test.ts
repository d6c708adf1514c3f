import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withOpusWishes } from './opusParameters.js';

const SDP = [
  'v=0',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'a=mid:0',
  'a=rtpmap:111 opus/48000/2',
  'a=fmtp:111 minptime=10;useinbandfec=1',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'a=mid:1',
  'a=rtpmap:111 opus/48000/2',
  'm=video 9 UDP/TLS/RTP/SAVPF 96',
  'a=mid:2',
  'a=rtpmap:96 VP8/90000',
  '',
].join('\r\n');

const DTX = { dtx: true, stereo: false };
const TWO = new Map([
  ['0', DTX],
  ['1', DTX],
]);
const both = (mid: string, stereo = false) => new Map([[mid, { dtx: true, stereo }]]);

describe('wishes for Opus in a description', () => {
  it('are asked for in the named m-line only', () => {
    const sdp = withOpusWishes(SDP, both('0'));
    expect(sdp).toContain('a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1\r\n');
    expect(sdp.match(/usedtx/g)).toHaveLength(1);
  });

  it('make the format line where there is none', () => {
    expect(withOpusWishes(SDP, both('1'))).toContain(
      'a=rtpmap:111 opus/48000/2\r\na=fmtp:111 usedtx=1\r\nm=video',
    );
  });

  it('are both asked for, or none', () => {
    expect(withOpusWishes(SDP, both('0', true))).toContain('useinbandfec=1;usedtx=1;stereo=1\r\n');
    expect(withOpusWishes(SDP, new Map([['0', { dtx: false, stereo: true }]]))).toContain(
      'useinbandfec=1;stereo=1\r\n',
    );
    expect(withOpusWishes(SDP, new Map([['0', { dtx: false, stereo: false }]]))).toBe(SDP);
  });

  it('are not mistaken for what the sender says of itself', () => {
    const sdp = SDP.replace('minptime=10', 'sprop-stereo=1');
    expect(withOpusWishes(sdp, both('0', true))).toContain('sprop-stereo=1;useinbandfec=1;usedtx=1;stereo=1');
  });

  it('are asked for once', () => {
    const once = withOpusWishes(SDP, TWO);
    expect(withOpusWishes(once, TWO)).toBe(once);
  });

  it('change nothing else, whatever the text', () => {
    expect(withOpusWishes(SDP, both('2'))).toBe(SDP);
    expect(withOpusWishes(SDP, new Map())).toBe(SDP);
    fc.assert(fc.property(fc.string(), (text) => withOpusWishes(text, both('0')) === text));
  });
});
