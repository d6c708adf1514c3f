import type { ConnectResult, SequencedEvent } from '@godwit/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  BACKOFF_MAX_MS,
  MESSAGE_BYTES_MAX,
  RESENDS_MAX,
  RESUME_GRACE_MS,
  SOCKET_SILENCE_MAX_MS,
} from '../limits.js';
import { FakePlatform, settle } from '../testing/fakePlatform.js';
import { SignallingLink } from './link.js';

const HELLO = {
  apiKey: 'key',
  sessionId: 'session',
  token: 'token',
  sdkVersion: '0',
  sessionMigration: true,
  pathMethod: 'candidate' as const,
};

const connection = { connectionId: 'me', creationTime: 1, data: '' };

function connectResult(overrides: Partial<ConnectResult> = {}): ConnectResult {
  const capabilities = {
    publish: 1,
    subscribe: 1,
    forceDisconnect: 0,
    forceUnpublish: 0,
    forceMute: 0,
  } as const;
  return {
    connection,
    resumeToken: 'secret',
    resumed: false,
    capabilities,
    connections: [connection],
    streams: [],
    muteForced: false,
    seq: 4,
    signals: 7,
    ...overrides,
  };
}

const signalEvent = (seq: number): SequencedEvent => ({ event: 'signal', data: `number ${seq}`, seq });

let platform: FakePlatform;
let seen: string[];
let link: SignallingLink;
let mediaConnected: boolean;

beforeEach(() => {
  platform = new FakePlatform();
  seen = [];
  mediaConnected = false;
  link = new SignallingLink(platform, 'wss://example.test/v1/signalling', {
    event: (event) => seen.push(`event ${event.seq}`),
    reconnecting: () => seen.push('reconnecting'),
    reconnected: (roster) => seen.push(roster === undefined ? 'reconnected' : 'reconnected with a roster'),
    lost: () => seen.push('lost'),
    mediaConnected: () => mediaConnected,
  });
});

async function connect(): Promise<void> {
  const connected = link.connect(HELLO);
  platform.socket.onopen?.();
  platform.socket.answer('connect', connectResult());
  await connected;
  link.start();
}

async function reopen(result: Partial<ConnectResult>): Promise<void> {
  await platform.advance(5_000);
  platform.socket.onopen?.();
  platform.socket.answer('resume', connectResult({ resumed: true, ...result }));
  await settle();
}

describe('connecting', () => {
  it('fails with the error of the server', async () => {
    const connected = link.connect(HELLO);
    platform.socket.onopen?.();
    const error = { code: 1004, name: 'OT_AUTHENTICATION_ERROR', message: 'expired' };
    platform.socket.deliver({ replyTo: 1, ok: false, error });
    await expect(connected).rejects.toMatchObject({ ...error, retryable: false });
    expect(platform.socket.closed).toBe(true);
  });

  it('fails with OT_CONNECT_FAILED when the socket does not open in time', async () => {
    const connected = link.connect(HELLO);
    const failed = expect(connected).rejects.toMatchObject({ name: 'OT_CONNECT_FAILED', code: 1006 });
    await platform.advance(60_000);
    await failed;
  });

  it('holds events until they are wanted', async () => {
    const connected = link.connect(HELLO);
    platform.socket.onopen?.();
    platform.socket.answer('connect', connectResult());
    await connected;
    platform.socket.deliver(signalEvent(5));
    expect(seen).toEqual([]);
    link.start();
    expect(seen).toEqual(['event 5']);
  });

  it('refuses an answer of another shape', async () => {
    const connected = link.connect(HELLO);
    platform.socket.onopen?.();
    platform.socket.answer('connect', { connection: 7 });
    await expect(connected).rejects.toMatchObject({ name: 'OT_UNEXPECTED_SERVER_RESPONSE' });
  });
});

describe('a broken socket', () => {
  it('is resumed, and repeated events are taken once', async () => {
    await connect();
    platform.socket.deliver(signalEvent(5));
    platform.socket.break();
    await reopen({});
    expect(platform.socket.sent[0]).toMatchObject({ type: 'resume', connectionId: 'me', lastSeq: 5 });
    platform.socket.deliver(signalEvent(5));
    platform.socket.deliver(signalEvent(6));
    expect(seen).toEqual(['event 5', 'reconnecting', 'reconnected', 'event 6']);
  });

  it('keeps requests and sends them again in order', async () => {
    await connect();
    const before = link.request('signal', { data: 'before' });
    platform.socket.break();
    const away = link.request('signal', { data: 'away' });
    await expect(link.request('signal', { data: 'now' }, { retry: false })).rejects.toMatchObject({
      code: 1010,
    });
    await reopen({});
    const sent = platform.socket.sent.filter(({ type }) => type === 'signal');
    expect(sent.map(({ data }) => data)).toEqual(['before', 'away']);
    for (const { id } of sent) platform.socket.deliver({ replyTo: id, ok: true, result: {} });
    await expect(Promise.all([before, away])).resolves.toHaveLength(2);
  });

  it('tells of a new roster when the server has lost the missed events', async () => {
    await connect();
    platform.socket.break();
    await reopen({ resumed: false, seq: 90 });
    platform.socket.deliver(signalEvent(90));
    platform.socket.deliver(signalEvent(91));
    expect(seen).toEqual(['reconnecting', 'reconnected with a roster', 'event 91']);
  });

  it('is noticed when nothing is heard any more', async () => {
    await connect();
    await platform.advance(SOCKET_SILENCE_MAX_MS + 5_000);
    expect(platform.sockets[0]?.sent.filter(({ type }) => type === 'ping').length).toBeGreaterThan(0);
    expect(seen[0]).toBe('reconnecting');
  });

  it('is given up after the grace, once, with a bounded number of attempts', async () => {
    await connect();
    platform.socket.break();
    const waiting = expect(link.request('signal', { data: 'x' })).rejects.toMatchObject({ code: 1010 });
    for (let turn = 0; turn < 400; turn += 1) {
      await platform.advance(250);
      if (!platform.socket.closed) platform.socket.break();
    }
    await waiting;
    expect(seen).toEqual(['reconnecting', 'lost']);
    expect(platform.sockets.length).toBeGreaterThan(4);
    expect(platform.sockets.length).toBeLessThan(30);
    expect(platform.now()).toBeGreaterThan(RESUME_GRACE_MS);
  });

  it('is tried for as long as media has a path, and one grace longer', async () => {
    await connect();
    mediaConnected = true;
    platform.socket.break();
    const refuseForMs = async (durationMs: number): Promise<void> => {
      for (let waitedMs = 0; waitedMs < durationMs; waitedMs += 250) {
        await platform.advance(250);
        if (!platform.socket.closed) platform.socket.break();
      }
    };
    await refuseForMs(5 * RESUME_GRACE_MS);
    expect(seen).toEqual(['reconnecting']);
    mediaConnected = false;
    await refuseForMs(RESUME_GRACE_MS / 2);
    expect(seen).toEqual(['reconnecting']);
    await refuseForMs(RESUME_GRACE_MS);
    expect(seen).toEqual(['reconnecting', 'lost']);
  });

  it('is given up at once when the server has forgotten the connection', async () => {
    await connect();
    platform.socket.break();
    await platform.advance(1_000);
    platform.socket.onopen?.();
    const error = { code: 1010, name: 'OT_NOT_CONNECTED', message: 'unknown connection' };
    platform.socket.deliver({ replyTo: platform.socket.sent[0]?.id, ok: false, error });
    await settle();
    expect(seen).toEqual(['reconnecting', 'lost']);
  });
});

describe('requests', () => {
  it('fail with OT_TIMEOUT when no answer comes', async () => {
    await connect();
    const failed = expect(link.request('signal', { data: 'x' })).rejects.toMatchObject({
      name: 'OT_TIMEOUT',
    });
    for (let turn = 0; turn < 10; turn += 1) {
      await platform.advance(4_000);
      platform.socket.deliver({ replyTo: 0, ok: true, result: {} });
    }
    await failed;
  });

  it('that are larger than the server takes are refused here, in bytes', async () => {
    await connect();
    const data = 'é'.repeat(MESSAGE_BYTES_MAX / 2);
    await expect(link.request('signal', { data })).rejects.toMatchObject({ name: 'OT_INVALID_PARAMETER' });
    expect(platform.socket.sent.filter(({ type }) => type === 'signal')).toEqual([]);
  });

  it('that break every socket they are sent on are given up, and not ever faster', async () => {
    await connect();
    const poison = link.request('signal', { data: 'poison' });
    const failed = expect(poison).rejects.toMatchObject({ name: 'OT_TIMEOUT' });
    const waitsMs: number[] = [];
    for (let turn = 0; turn <= RESENDS_MAX; turn += 1) {
      const brokeAtMs = platform.now();
      const socketsBefore = platform.sockets.length;
      platform.socket.break();
      while (platform.sockets.length === socketsBefore) await platform.advance(50);
      waitsMs.push(platform.now() - brokeAtMs);
      platform.socket.onopen?.();
      platform.socket.answer('resume', connectResult({ resumed: true }));
      await settle();
    }
    await failed;
    expect(platform.socket.sent.filter(({ type }) => type === 'signal')).toEqual([]);
    expect(waitsMs).toEqual(waitsMs.toSorted((a, b) => a - b));
    expect(waitsMs.at(-1)).toBeGreaterThan(BACKOFF_MAX_MS / 2);
  });

  it('fail after the link was closed', async () => {
    await connect();
    link.close();
    await expect(link.request('ping', {})).rejects.toMatchObject({ name: 'OT_NOT_CONNECTED' });
    expect(platform.socket.closed).toBe(true);
  });
});
