import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withOpusDtx } from './opusDtx.js';

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

describe('DTX in an answer', () => {
  it('is asked for in the named m-line only', () => {
    const sdp = withOpusDtx(SDP, new Set(['0']));
    expect(sdp).toContain('a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1\r\n');
    expect(sdp.match(/usedtx/g)).toHaveLength(1);
  });

  it('makes the format line where there is none', () => {
    expect(withOpusDtx(SDP, new Set(['1']))).toContain(
      'a=rtpmap:111 opus/48000/2\r\na=fmtp:111 usedtx=1\r\nm=video',
    );
  });

  it('is asked for once', () => {
    const once = withOpusDtx(SDP, new Set(['0', '1']));
    expect(withOpusDtx(once, new Set(['0', '1']))).toBe(once);
  });

  it('changes nothing else, whatever the text', () => {
    expect(withOpusDtx(SDP, new Set(['2']))).toBe(SDP);
    expect(withOpusDtx(SDP, new Set())).toBe(SDP);
    fc.assert(fc.property(fc.string(), (text) => withOpusDtx(text, new Set(['0'])) === text));
  });
});
