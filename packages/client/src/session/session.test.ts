import { describe, expect, it, vi } from 'vitest';
import { orderCodecs } from '../media/codecs.js';
import { acquireMedia, audioConstraints, mediaError, videoConstraints } from '../media/sources.js';
import { OT } from '../ot.js';
import { Roster } from './roster.js';
import { signalRequest } from './signal.js';

const connection = (connectionId: string) => ({ connectionId, creationTime: 1, data: '' });
const stream = (streamId: string) => ({
  streamId,
  connection: connection('a'),
  creationTime: 1,
  name: '',
  hasAudio: true,
  hasVideo: true,
  hasCaptions: false,
  videoDimensions: { width: 1, height: 1 },
});

describe('a roster that the server tells anew', () => {
  it('yields what came and went, and keeps the objects of what stayed', () => {
    const roster = new Roster();
    roster.replace({ connections: [connection('a'), connection('b')], streams: [stream('1'), stream('2')] });
    const kept = roster.stream('2');
    const changes = roster.replace({
      connections: [connection('b'), connection('c')],
      streams: [stream('2'), stream('3')],
    });
    expect(changes.connectionsGone.map(({ connectionId }) => connectionId)).toEqual(['a']);
    expect(changes.connectionsNew.map(({ connectionId }) => connectionId)).toEqual(['c']);
    expect(changes.streamsGone.map(({ streamId }) => streamId)).toEqual(['1']);
    expect(changes.streamsNew.map(({ streamId }) => streamId)).toEqual(['3']);
    expect(roster.stream('2')).toBe(kept);
  });
});

describe('signals', () => {
  it('become requests', () => {
    const signal = { type: 'chat', data: 'hi', to: connection('b') };
    expect(signalRequest(signal)).toEqual({ signalType: 'chat', data: 'hi', to: 'b' });
    expect(signalRequest({})).toEqual({ data: '' });
  });

  it.each([
    ['a type with spaces', { type: 'a b' }],
    ['an empty type', { type: '' }],
    ['a long type', { type: 'x'.repeat(129) }],
    ['too much data', { data: 'ä'.repeat(4_097) }],
    ['data that is no text', { data: 7 as unknown as string }],
  ])('are refused with %s', (_name, signal) => {
    expect(signalRequest(signal)).toMatchObject({ name: 'OT_INVALID_PARAMETER', code: 1011 });
  });
});

describe('a session that is not connected', () => {
  const session = OT.initSession('key', 'session');

  it('has no connection and no capability', () => {
    expect(session.connection).toBeUndefined();
    expect(session.capabilities.publish).toBe(0);
  });

  it('refuses to subscribe and to signal with 1010', async () => {
    const error = await new Promise((resolve) => session.signal({ data: 'x' }, resolve));
    expect(error).toMatchObject({ name: 'OT_NOT_CONNECTED', code: 1010 });
    await expect(session.connect.promise('')).rejects.toMatchObject({ code: 1004 });
    await expect(session.disconnect()).resolves.toBeUndefined();
  });

  it('takes listeners before it connects, apart from any other session of the page', () => {
    const [one, two] = [OT.initSession('key', 'one'), OT.initSession('key', 'two')];
    const heard: string[] = [];
    one.on('streamCreated', () => heard.push('one'));
    two.on({ streamCreated: () => heard.push('two'), sessionConnected: () => heard.push('connected') });
    const event = { type: 'streamCreated', stream: stream('1') };
    one.dispatch('streamCreated', event as unknown as Parameters<typeof one.dispatch<'streamCreated'>>[1]);
    expect(heard).toEqual(['one']);
  });

  it('needs a key and an id', () => {
    expect(() => OT.initSession('', 'session')).toThrow(expect.objectContaining({ code: 1011 }));
    expect(() => OT.initSession('key', '')).toThrow(expect.objectContaining({ code: 1011 }));
  });
});

describe('sources', () => {
  it('become constraints', () => {
    expect(videoConstraints({ resolution: '1280x720', frameRate: 15, videoSource: 'id' })).toEqual({
      deviceId: { exact: 'id' },
      width: { ideal: 1280 },
      height: { ideal: 720 },
      frameRate: { ideal: 15 },
    });
    expect(videoConstraints({ videoSource: false })).toBe(false);
    expect(audioConstraints({ audioSource: null })).toBe(false);
    expect(audioConstraints({ audioSource: true, echoCancellation: false })).toEqual({
      echoCancellation: false,
    });
  });

  it('give the video track the hint for its encoder, and leave one without a hint as it is', async () => {
    vi.stubGlobal('MediaStream', class {});
    const track = (contentHint: string) => ({ kind: 'video', contentHint }) as MediaStreamTrack;
    const [hinted, left] = [track(''), track('motion')];
    await acquireMedia({ audioSource: false, videoSource: hinted, videoContentHint: 'detail' });
    await acquireMedia({ audioSource: false, videoSource: left });
    expect([hinted.contentHint, left.contentHint]).toEqual(['detail', 'motion']);
    vi.unstubAllGlobals();
  });

  it.each([
    ['NotAllowedError', 'OT_USER_MEDIA_ACCESS_DENIED'],
    ['NotFoundError', 'OT_NO_DEVICES_FOUND'],
    ['NotReadableError', 'OT_HARDWARE_UNAVAILABLE'],
    ['OverconstrainedError', 'OT_CONSTRAINTS_NOT_SATISFIED'],
  ])('that fail with %s name it', (name, expected) => {
    expect(mediaError(new DOMException('no', name)).name).toBe(expected);
  });

  it('order codecs: the wished first, the others behind, repair formats last', () => {
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
