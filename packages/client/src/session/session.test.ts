import { describe, expect, it } from 'vitest';
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
    const missing = stream('1') as Parameters<typeof session.subscribe>[0];
    expect(() => session.subscribe(missing)).toThrow(expect.objectContaining({ code: 1010 }));
    await expect(session.subscribe.promise(missing)).rejects.toMatchObject({ code: 1010 });
    await expect(session.forceMuteAll()).rejects.toMatchObject({ code: 1010 });
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

  it('is not made with a secret that nothing would be encrypted with', () => {
    const options = { encryptionSecret: 'secret' } as object;
    expect(() => OT.initSession('key', 'session', options)).toThrow(
      expect.objectContaining({ name: 'OT_NOT_SUPPORTED' }),
    );
  });
});
