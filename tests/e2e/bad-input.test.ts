import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SIGNALLING_MESSAGE_BYTES_MAX } from '@godwit/protocol';
import { Capture, serverEndpoints } from './support/environment.js';
import { openScene, sleep, totals, type Scene } from './support/scene.js';

const GARBAGE = fileURLToPath(new URL('./support/garbage.mjs', import.meta.url));
const run = promisify(execFile);

describe('a call beside which others misbehave', () => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await openScene({ clients: 2 });
    await sleep(3_000);
  }, 120_000);

  afterAll(async () => {
    await scene?.close();
  });

  /** What the call lost while `misbehave` ran and a second after. */
  async function disturbance(misbehave: () => Promise<void>): Promise<Record<string, number>> {
    const before = await totals(scene.pages);
    await misbehave();
    await sleep(1_000);
    const after = await totals(scene.pages);
    const keys = ['audio.packetsLost', 'video.packetsLost', 'video.freezeCount', 'video.pliCount'];
    return Object.fromEntries(keys.map((key) => [key, (after[key] ?? 0) - (before[key] ?? 0)]));
  }

  const NOTHING = {
    'audio.packetsLost': 0,
    'video.packetsLost': 0,
    'video.freezeCount': 0,
    'video.pliCount': 0,
  };

  it(
    'is not touched by malformed STUN, DTLS, RTP and noise on the media ports',
    { timeout: 60_000 },
    async () => {
      const capture = new Capture(scene.network);
      await capture.ready();
      await sleep(3_000);
      const { datagrams } = await capture.finish();
      const endpoints = [...serverEndpoints(datagrams)].map((endpoint) => endpoint.split(' '));
      expect(endpoints.length).toBeGreaterThan(0);
      const [[address = ''] = []] = endpoints;
      const numbers = endpoints.flatMap(([host, port = '']) => (host === address ? [port] : [])).join(',');
      const line = [...scene.network.prefix, process.execPath, GARBAGE, address, numbers, '1500'];
      expect(await disturbance(async () => void (await run(line[0] ?? '', line.slice(1))))).toEqual(NOTHING);
    },
  );

  it(
    'is not touched by bad signalling, which gets a clear answer each time',
    { timeout: 60_000 },
    async () => {
      const answers: string[] = [];
      const lost = await disturbance(async () => {
        const url = `${scene.platform.url.replace('http', 'ws')}/v1/signalling`;
        const messages = [
          'not json',
          '{}',
          '{"type":"connect"}',
          '{"id":1,"type":"nonsense"}',
          '{"id":2,"type":"offer","sdp":"v=0","publications":[],"subscriptions":[]}',
          '[1,2,3]',
          'x'.repeat(SIGNALLING_MESSAGE_BYTES_MAX + 1),
        ];
        for (const message of messages) {
          answers.push(
            (await scene.pages[0]?.page.evaluate(
              ([target, text]) =>
                new Promise<string>((resolve) => {
                  const socket = new WebSocket(target);
                  const timer = setTimeout(() => resolve('silence'), 5_000);
                  const done = (answer: string): void => {
                    clearTimeout(timer);
                    socket.close();
                    resolve(answer);
                  };
                  socket.onopen = () => socket.send(text);
                  socket.onmessage = (event) => done(String(event.data));
                  socket.onclose = (event) => done(`closed ${event.code} ${event.reason}`);
                }),
              [url, message] as const,
            )) ?? '',
          );
        }
      });
      expect(lost).toEqual(NOTHING);
      expect(
        answers.slice(0, 6).every((answer) => answer.includes('"ok":false') && answer.includes('"message"')),
      ).toBe(true);
      expect(answers[6]).toMatch(/^closed 1009 /);
    },
  );

  it(
    'is not touched by tokens that are expired, of another project or session, or of an unknown session',
    { timeout: 60_000 },
    async () => {
      const other = await scene.api.createSession();
      const token = await scene.api.token(other);
      const attempts = [
        { sessionId: scene.sessionId, token },
        { sessionId: scene.sessionId, token: 'T1==bm90aGluZw==' },
        { sessionId: scene.sessionId, token: 'eyJhbGciOiJub25lIn0.e30.' },
        { sessionId: '1_MX4xMjN-fjE2MDAwMDAwMDAwMDB-YWJjfn4', token },
      ];
      const errors: string[] = [];
      const lost = await disturbance(async () => {
        for (const attempt of attempts) {
          errors.push(
            (await scene.pages[0]?.page.evaluate(
              ([apiKey, sessionId, secret]) =>
                new Promise<string>((resolve) => {
                  const session = (
                    window as unknown as {
                      OT: {
                        initSession(
                          key: string,
                          id: string,
                        ): {
                          connect(
                            token: string,
                            done: (error?: { name: string; code: number }) => void,
                          ): void;
                        };
                      };
                    }
                  ).OT.initSession(apiKey, sessionId);
                  session.connect(secret, (error) =>
                    resolve(error ? `${error.name} ${error.code}` : 'connected'),
                  );
                }),
              [scene.platform.apiKey, attempt.sessionId, attempt.token] as const,
            )) ?? '',
          );
        }
      });
      expect(lost).toEqual(NOTHING);
      expect(errors.slice(0, 3)).toEqual(Array.from({ length: 3 }, () => 'OT_AUTHENTICATION_ERROR 1004'));
      expect(errors[3]).toMatch(/^OT_(INVALID_SESSION_ID 1005|AUTHENTICATION_ERROR 1004)$/);
    },
  );
});
