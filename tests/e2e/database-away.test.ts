import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findPostgres, PostgresServer } from '@godwit/testing';
import { watch, type Window } from './support/endurance.js';
import { everybodySees, migrate, openScene, sleep, type Scene } from './support/scene.js';
import { eventually } from './support/waits.js';

// Two people in Chromium, control on PostgreSQL. The database is stopped, with control and without: what the two see is
// compared with what they see while everything runs. `npm run proof:database-away` stops it for a minute.

const AWAY_MS = process.env['GODWIT_E2E_PROOFS'] === undefined ? 8_000 : 60_000;
const PATIENCE_MS = 60_000;
/** One frame at 30 a second: two windows of the same call differ by as much. */
const FRAME_MS = 33.4;
const CASE = { timeout: 6 * AWAY_MS + 120_000 };

describe.skipIf(findPostgres() === null)('a call of two while the database is away', () => {
  let server: PostgresServer;
  let scene: Scene;

  beforeAll(async () => {
    server = await PostgresServer.start();
    scene = await openScene({ clients: 2, platform: { env: { GODWIT_DATABASE_URL: server.socketUrl } } });
    await sleep(3_000);
  }, 180_000);
  afterAll(async () => {
    await scene?.close();
    await server?.close();
  });

  const create = (): Promise<{ status: number }> => scene.api.rest('POST', '/session/create', '');

  /** Connection and stream ids, as the roster has them. */
  async function ids(): Promise<string[]> {
    const { connections, streams } = await scene.api.session(scene.sessionId);
    return [...connections.map((each) => each.connectionId), ...streams.map((each) => each.streamId)].sort();
  }

  function print(what: string, { lost, freezes, gapMs, concealed, seconds }: Window): void {
    process.stdout.write(
      `${what}: ${seconds.toFixed(0)} s, lost ${lost}, freezes ${freezes}, largest gap ${gapMs.toFixed(1)} ms, concealed ${concealed}\n`,
    );
  }

  /** A machine that freezes pictures by itself says nothing about pictures; packets are lost or not in any case. */
  function expectAsBefore(away: Window, before: Window): void {
    expect(away.lost).toBe(0);
    if (before.freezes > 0) return;
    expect(away.freezes).toBe(0);
    expect(away.gapMs).toBeLessThanOrEqual(before.gapMs + FRAME_MS);
  }

  it('sees nothing of it; REST says when to ask again, and serves again afterwards', CASE, async () => {
    const before = await watch(scene, 'still', () => sleep(AWAY_MS));
    const known = await ids();
    const answers: string[] = [];
    const away = await watch(scene, 'still', async () => {
      await server.stop();
      const untilMs = Date.now() + AWAY_MS;
      while (Date.now() < untilMs) {
        const { status } = await create();
        answers.push(String(status));
        await sleep(1_000);
      }
    });
    print('database there', before);
    print('database away', away);
    expect(new Set(answers)).toEqual(new Set(['503']));
    expectAsBefore(away, before);
    await server.restart();
    await eventually('a session can be made again', PATIENCE_MS, async () => {
      const { status } = await create();
      return status === 200 ? null : `REST answers ${status}`;
    });
    expect((await migrate(scene)).status).toBe('completed');
    expect(await ids()).toEqual(known);
    await everybodySees(scene);
  });

  it(
    'sees nothing of it either when control is killed as well; both come back to the same call',
    CASE,
    async () => {
      const before = await watch(scene, 'still', () => sleep(AWAY_MS));
      const known = await ids();
      const away = await watch(scene, 'still', async () => {
        await server.stop();
        scene.platform.control.kill('SIGKILL');
        await sleep(AWAY_MS);
      });
      print('control and database there', before);
      print('control and database away', away);
      expectAsBefore(away, before);
      await server.restart();
      scene.platform.startControl();
      await eventually('control has taken the call up', PATIENCE_MS, async () => {
        const found = await ids().catch(() => []);
        return JSON.stringify(found) === JSON.stringify(known)
          ? null
          : `${found.length} of ${known.length} are there`;
      });
      await eventually('the call can be moved again', PATIENCE_MS, async () => {
        const { status } = await migrate(scene).catch((error: unknown) => ({ status: String(error) }));
        return status === 'completed' ? null : status;
      });
      expect(await ids()).toEqual(known);
      await everybodySees(scene);
    },
  );
});
