import { expect, it } from 'vitest';
import { directionsOf, sectionsOf } from './sdpSections.js';

const SDP = [
  'v=0',
  'a=sendrecv',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'a=recvonly',
  'a=mid:0',
  'm=video 9 UDP/TLS/RTP/SAVPF 96',
  'a=mid:a1',
  'a=inactive',
  'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
  'a=mid:2',
  '',
].join('\r\n');

it('splits an SDP so that nothing is lost', () => {
  expect(sectionsOf(SDP)).toHaveLength(4);
  expect(sectionsOf(SDP).join('')).toBe(SDP);
});

it('reads the direction of each m-line that has one', () => {
  expect([...directionsOf(SDP)]).toEqual([
    ['0', 'recvonly'],
    ['a1', 'inactive'],
  ]);
});
