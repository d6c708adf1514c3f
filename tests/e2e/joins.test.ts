import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  CallbackReceiver,
  findPostgres,
  PlatformApi,
  PostgresServer,
  startPlatform,
  type Platform,
  type ReceivedCallback,
} from '@godwit/testing';
import { SignallingClient } from './support/signalling-client.js';
import { eventually } from './support/waits.js';

// Clients join by the hundred, and control is killed in the middle. What it had said yes to is there afterwards, and every
// callback arrives, in order. `npm run proof:joins` has a thousand clients, and PostgreSQL besides the embedded database.

const IS_PROOF = process.env['GODWIT_E2E_PROOFS'] !== undefined;
const JOINS = IS_PROOF ? 1_000 : 200;
const SESSIONS = 20;
/** Joins under way at a time. */
const CONCURRENCY = 50;
/** A client that nobody told yes is let go after 30 s (the resume grace); the machine may be busy. */
const PATIENCE_MS = 120_000;
const CASE = { timeout: 5 * PATIENCE_MS };

const DATABASES = [
  { name: 'the embedded database', isPostgres: false },
  ...(IS_PROOF && findPostgres() !== null ? [{ name: 'PostgreSQL', isPostgres: true }] : []),
];

describe.each(DATABASES)('control on $name, killed while $name is written', ({ isPostgres }) => {
  let database: PostgresServer | null = null;
  let platform: Platform;
  let api: PlatformApi;
  let receiver: CallbackReceiver;

  beforeAll(async () => {
    receiver = await CallbackReceiver.start();
    if (isPostgres) database = await PostgresServer.start();
    const env: Record<string, string> = database === null ? {} : { GODWIT_DATABASE_URL: database.url };
    platform = await startPlatform({ nodes: 1, env });
    api = new PlatformApi(platform);
    await fetch(`${platform.url}/admin/v1/projects/${platform.apiKey}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${platform.adminToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ callbackUrls: { session: receiver.url } }),
    });
  }, CASE.timeout);
  afterAll(async () => {
    await platform?.stop();
    await database?.close();
    await receiver?.close();
  });

  it(
    `keeps every one of ${JOINS} joins that it had acknowledged, and tells of each in order`,
    CASE,
    async () => {
      const { apiKey } = platform;
      const seats = await Promise.all(
        Array.from({ length: SESSIONS }, async () => {
          const sessionId = await api.createSession();
          return { sessionId, token: await api.token(sessionId) };
        }),
      );
      const acknowledged: { client: SignallingClient; sessionId: string }[] = [];
      let begun = 0;
      let refused = 0;
      let restarted: Promise<unknown> | null = null;
      const joinOne = async (number: number): Promise<void> => {
        const seat = seats[number % SESSIONS];
        if (seat === undefined) throw new Error('no session');
        for (;;) {
          const client = new SignallingClient(platform.url);
          try {
            await client.join({ apiKey, ...seat });
            acknowledged.push({ client, sessionId: seat.sessionId });
            break;
          } catch {
            refused += 1;
            await new Promise((resolve) => setTimeout(resolve, 200));
          }
        }
        if (acknowledged.length >= JOINS / 2) restarted ??= killAndRestart(platform);
      };
      const worker = async (): Promise<void> => {
        while (begun < JOINS) await joinOne(begun++);
      };
      await Promise.all(Array.from({ length: CONCURRENCY }, worker));
      await restarted;
      // Everybody whose socket broke comes back with the same connection.
      const deadlineMs = Date.now() + PATIENCE_MS;
      const broken = acknowledged.filter(({ client }) => !client.isOpen);
      await Promise.all(broken.map(({ client }) => client.resume(deadlineMs)));
      print(`${acknowledged.length} joins acknowledged, ${refused} tried again, ${broken.length} came back`);
      expect(acknowledged).toHaveLength(JOINS);
      expect(broken.length).toBeGreaterThanOrEqual(JOINS / 2);

      await Promise.all(acknowledged.map(({ client }) => client.leave()));
      const expected = new Set(acknowledged.map(({ client }) => client.connectionId));
      await eventually('every callback has come', PATIENCE_MS, () => {
        const told = byEvent(receiver.received, 'connectionDestroyed');
        const missing = [...expected].filter((id) => !told.has(id));
        const open = seats.filter(({ sessionId }) => !isOver(receiver.events(sessionId)));
        return Promise.resolve(
          missing.length + open.length === 0
            ? null
            : `${missing.length} ends and ${open.length} sessions are missing`,
        );
      });
      const created = byEvent(receiver.received, 'connectionCreated');
      expect([...expected].filter((id) => !created.has(id))).toEqual([]);
      const unique = onlyFirst(receiver.received);
      print(`${receiver.received.length} callbacks came, ${unique.length} of them for the first time`);
      for (const { sessionId } of seats)
        expect(disorder(unique.filter((callback) => callback.sessionId === sessionId))).toEqual([]);
    },
  );
});

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

async function killAndRestart(platform: Platform): Promise<void> {
  const { control } = platform;
  const gone = new Promise((resolve) => control.once('exit', resolve));
  control.kill('SIGKILL');
  await gone;
  platform.startControl();
}

const idOf = ({ body }: ReceivedCallback): string =>
  (body['connection'] as { id?: string } | undefined)?.id ?? '';

function byEvent(received: readonly ReceivedCallback[], event: string): Set<string> {
  return new Set(received.filter((callback) => callback.event === event).map(idOf));
}

const isOver = (events: readonly string[]): boolean => events.at(-1) === 'sessionDestroyed';

/** A callback may come again; its id says so. */
function onlyFirst(received: readonly ReceivedCallback[]): ReceivedCallback[] {
  const seen = new Set<unknown>();
  return received.filter(({ headers }) => {
    const id = headers['idempotency-key'];
    if (seen.has(id)) return false;
    seen.add(id);
    return true;
  });
}

/** What is wrong with the order of one session's callbacks. */
function disorder(callbacks: readonly ReceivedCallback[]): string[] {
  const wrong: string[] = [];
  const live = new Set<string>();
  let isLive = false;
  for (const callback of callbacks) {
    const id = idOf(callback);
    const say = (what: string): void => void wrong.push(`${callback.event} ${id}: ${what}`);
    switch (callback.event) {
      case 'sessionCreated':
        if (isLive) say('a second time');
        isLive = true;
        break;
      case 'connectionCreated':
        if (!isLive) say('before its session');
        if (live.has(id)) say('a second time');
        live.add(id);
        break;
      case 'connectionDestroyed':
        if (!live.delete(id)) say('never created');
        break;
      case 'sessionDestroyed':
        if (live.size > 0) say(`${live.size} are left`);
        isLive = false;
        break;
      default:
        say('not expected');
    }
  }
  if (isLive || live.size > 0) wrong.push('the session has not ended');
  return wrong;
}
