import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findPostgres, PlatformApi, PostgresServer, startPlatform, type Platform } from '@godwit/testing';
import { watch, type Window } from './support/endurance.js';
import { everybodySees, migrate, openScene, sleep, type Scene } from './support/scene.js';
import { ScriptedClient } from './support/scripted-client.js';
import { eventually } from './support/waits.js';

// Three controls on one PostgreSQL, behind a balancer. One after the other is killed without a word and started again, while
// forty clients signal to each other, and while two people in Chromium are in a call. `npm run proof:replicas` kills for longer.

const IS_PROOF = process.env['GODWIT_E2E_PROOFS'] !== undefined;
const KILLS = IS_PROOF ? 30 : 5;
/** Between two kills: the sessions of one are taken up about when the next one dies. */
const KILL_INTERVAL_MS = 5_000;
/** Whoever supervises the processes starts them again after this. */
const RESTART_AFTER_MS = 1_500;
const CONTROLS = 3;
const CLIENTS = 40;
const SESSIONS = 8;
const PER_SESSION = CLIENTS / SESSIONS;
/** Each client says something this often, with some chance in it. */
const SAY_INTERVAL_MS = 500;
/** Every so many, to one of the others alone. */
const WHISPER_EVERY = 5;
const PATIENCE_MS = 60_000;
/** One frame at 30 a second. */
const FRAME_MS = 33.4;
const CASE = { timeout: 180_000 + 2 * KILLS * KILL_INTERVAL_MS };

/** Kills one control after the other, and starts each again. */
async function killOften(platform: Platform, kills: number): Promise<void> {
  for (let kill = 0; kill < kills; kill++) {
    const number = kill % CONTROLS;
    const control = platform.controls[number];
    if (control === undefined) throw new Error('no such control');
    const gone = once(control, 'exit');
    control.kill('SIGKILL');
    await gone;
    await sleep(RESTART_AFTER_MS);
    platform.startControl(number);
    await sleep(KILL_INTERVAL_MS - RESTART_AFTER_MS);
  }
}

describe.skipIf(findPostgres() === null)('controls that are killed one after the other', () => {
  let server: PostgresServer;

  beforeAll(async () => {
    server = await PostgresServer.start();
  }, 90_000);
  afterAll(() => server?.close());

  it(`lose no connection and no signal of ${CLIENTS} clients, and double none`, CASE, async () => {
    const env = { GODWIT_DATABASE_URL: await server.createDatabase('signals') };
    const platform = await startPlatform({ nodes: 1, controls: CONTROLS, env });
    try {
      const sessions = await joinAll(platform);
      let isOver = false;
      const talking = Promise.all(sessions.flat().map((client) => talk(client, sessions, () => isOver)));
      await killOften(platform, KILLS);
      isOver = true;
      await talking;
      await eventually('everybody has heard everything', PATIENCE_MS, () =>
        Promise.resolve(whatIsMissing(sessions)),
      );
      report(sessions);
      for (const client of sessions.flat()) {
        expect(client.failures).toEqual([]);
        expect(client.isLost).toBe(false);
        expect(client.events.filter(({ event }) => event === 'connectionDestroyed')).toEqual([]);
      }
      for (const clients of sessions) for (const client of clients) expectHeardOnce(client, clients);
      await expectRoster(platform, sessions);
      expect(sessions.flat().some(({ breaks }) => breaks > 0)).toBe(true);
      for (const client of sessions.flat()) client.close();
    } finally {
      await platform.stop();
    }
  });

  it('are not seen in a call of two, which moves between kills', CASE, async () => {
    // Over a socket in the file system: the call has a network of its own.
    const env = { GODWIT_DATABASE_URL: server.socketUrl };
    const scene = await openScene({ clients: 2, platform: { controls: CONTROLS, env } });
    try {
      await sleep(3_000);
      const windowMs = KILLS * KILL_INTERVAL_MS;
      const before = await watch(scene, 'still', () => sleep(Math.min(windowMs, 60_000)));
      const during = await watch(scene, 'still', () => killOften(scene.platform, KILLS));
      print('all controls there', before);
      print(`${KILLS} kills`, during);
      expect(during.lost).toBe(0);
      if (before.freezes === 0) {
        expect(during.freezes).toBe(0);
        expect(during.gapMs).toBeLessThanOrEqual(before.gapMs + FRAME_MS);
      }
      await eventually('the call can be moved', PATIENCE_MS, () => moved(scene));
      expect(await idsOf(scene)).toEqual(scene.joined.map(({ connectionId }) => connectionId).toSorted());
      await everybodySees(scene);
    } finally {
      await scene.close();
    }
  });
});

/** By session. */
async function joinAll(platform: Platform): Promise<ScriptedClient[][]> {
  const api = new PlatformApi(platform);
  return Promise.all(
    Array.from({ length: SESSIONS }, async (_, session) => {
      const sessionId = await api.createSession();
      const clients: ScriptedClient[] = [];
      for (let number = 0; number < PER_SESSION; number++) {
        const client = new ScriptedClient(`${session}.${number}`, platform.url);
        await client.join({ apiKey: platform.apiKey, sessionId, token: await api.token(sessionId) });
        clients.push(client);
      }
      return clients;
    }),
  );
}

/** Says numbered things until it is over; resolves when all of them have been answered. */
async function talk(
  client: ScriptedClient,
  sessions: readonly ScriptedClient[][],
  isOver: () => boolean,
): Promise<void> {
  const others = sessions.find((clients) => clients.includes(client)) ?? [];
  const answers: Promise<void>[] = [];
  for (let number = 1; !isOver(); number++) {
    await sleep(SAY_INTERVAL_MS * (0.5 + Math.random()));
    const to = others[number % others.length];
    const isWhisper = number % WHISPER_EVERY === 0 && to !== undefined;
    answers.push(
      isWhisper
        ? client.say(`${client.name} to ${to.name} #${number}`, to.connectionId)
        : client.say(`${client.name} to all #${number}`),
    );
  }
  await Promise.all(answers);
}

/** What this client must have heard of that one. */
function expectedOf(speaker: ScriptedClient, listener: ScriptedClient): string[] {
  return speaker.said
    .filter((data) => data.includes(' to all ') || data.includes(` to ${listener.name} `))
    .toSorted((a, b) => numberOf(a) - numberOf(b));
}

const numberOf = (data: string): number => Number(data.split('#')[1]);
const heardFrom = (listener: ScriptedClient, speaker: ScriptedClient): string[] =>
  listener.heard.filter((data) => data.startsWith(`${speaker.name} `));

function whatIsMissing(sessions: readonly ScriptedClient[][]): string | null {
  const missing = sessions.flatMap((clients) =>
    clients.flatMap((listener) =>
      clients.flatMap((speaker) => {
        const heard = new Set(heardFrom(listener, speaker));
        return expectedOf(speaker, listener).filter((data) => !heard.has(data));
      }),
    ),
  );
  return missing.length === 0
    ? null
    : `${missing.length} are missing, such as ${missing.slice(0, 3).join(', ')}`;
}

/** Everything once, each speaker's in his order. */
function expectHeardOnce(listener: ScriptedClient, clients: readonly ScriptedClient[]): void {
  for (const speaker of clients) expect(heardFrom(listener, speaker)).toEqual(expectedOf(speaker, listener));
}

async function expectRoster(platform: Platform, sessions: readonly ScriptedClient[][]): Promise<void> {
  const api = new PlatformApi(platform);
  const known = await fetch(`${platform.url}/admin/v1/sessions`, {
    headers: { authorization: `Bearer ${platform.adminToken}` },
  });
  const { items } = (await known.json()) as { items: { sessionId: string; connections: number }[] };
  expect(items.map(({ connections }) => connections)).toEqual(sessions.map(() => PER_SESSION));
  const seen = await Promise.all(
    items.map(async ({ sessionId }) => (await api.session(sessionId)).connections),
  );
  const ids = seen.flat().map(({ connectionId }) => connectionId);
  expect(ids.toSorted()).toEqual(
    sessions
      .flat()
      .map(({ connectionId }) => connectionId)
      .toSorted(),
  );
}

function report(sessions: readonly ScriptedClient[][]): void {
  const clients = sessions.flat();
  const sum = (of: (client: ScriptedClient) => number): number =>
    clients.reduce((total, client) => total + of(client), 0);
  process.stdout.write(
    `${KILLS} kills: ${sum(({ said }) => said.length)} signals said, ${sum(({ heard }) => heard.length)} heard, ` +
      `${sum(({ breaks }) => breaks)} sockets broke\n`,
  );
}

function print(what: string, { lost, freezes, gapMs, concealed, seconds }: Window): void {
  process.stdout.write(
    `${what}: ${seconds.toFixed(0)} s, lost ${lost}, freezes ${freezes}, largest gap ${gapMs.toFixed(1)} ms, concealed ${concealed}\n`,
  );
}

async function moved(scene: Scene): Promise<string | null> {
  const { status } = await migrate(scene).catch((error: unknown) => ({ status: String(error) }));
  return status === 'completed' ? null : status;
}

async function idsOf(scene: Scene): Promise<string[]> {
  const { connections } = await scene.api.session(scene.sessionId);
  return connections.map(({ connectionId }) => connectionId).toSorted();
}
