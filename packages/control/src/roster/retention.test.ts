import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { aloneAs, newSessionRecord, openMemoryStorage, type Storage } from '@godwit/storage';
import { ENDED_KEPT_MS, RETENTION_INTERVAL_MS } from '../limits.js';
import { Retention } from './retention.js';

let storage: Storage;
beforeAll(async () => {
  storage = await openMemoryStorage();
}, 60_000);
afterAll(() => storage.close());

const ENDED_AT_MS = 1_700_000_000_000;

async function endedConnection(connectionId: string): Promise<void> {
  await storage.projects.ensure({ apiKey: '100', name: 'retention', createdAtMs: 0, signatureSecret: null });
  await storage.sessions.create(newSessionRecord({ sessionId: 's', apiKey: '100', createdAtMs: 0 }));
  await storage.connections.create({
    connectionId,
    sessionId: 's',
    data: '',
    role: 'publisher',
    sessionMigration: true,
    pathMethod: 'candidate',
    eventsSuppressed: false,
    layoutClasses: [],
    resumeTokenHash: '',
    createdAtMs: 0,
    endedAtMs: null,
    endReason: null,
  });
  await storage.connections.end(connectionId, 'clientDisconnected', ENDED_AT_MS);
}

it('forgets a connection a day after its end, and looks once a minute', async () => {
  const retention = new Retention({
    storage,
    membership: aloneAs('only', 0),
    log: pino({ level: 'silent' }),
  });
  await endedConnection('c');
  const isKept = async (): Promise<boolean> => (await storage.connections.get('c')) !== null;
  retention.tick(ENDED_AT_MS + ENDED_KEPT_MS);
  expect(await isKept()).toBe(true);
  retention.tick(ENDED_AT_MS + ENDED_KEPT_MS + 1);
  expect(await isKept()).toBe(true);
  retention.tick(ENDED_AT_MS + ENDED_KEPT_MS + RETENTION_INTERVAL_MS);
  // Statements of one storage run in turn: what was asked first is done when this is answered.
  await expect.poll(isKept).toBe(false);
});
