import { MIGRATION_HISTORY_MAX } from '../limits.js';
import type { TransportRecord } from '../records.js';
import type { RosterStorage } from '../storage.js';
import {
  migrationOf,
  MOVE,
  newSession,
  newTransport,
  NOW_MS,
  unique,
  type ContractRunner,
} from './fixtures.js';

export function retentionContract({ it, equal }: ContractRunner, open: () => RosterStorage): void {
  it('forgets what ended long ago, and nothing else', async () => {
    const storage = open();
    const [ended, recent, live] = [
      await newTransport(storage),
      await newTransport(storage),
      await newTransport(storage),
    ];
    const stream = (of: TransportRecord, streamId: string) => ({
      streamId,
      sessionId: of.sessionId,
      connectionId: of.connectionId,
      info: {},
      layoutClasses: [],
      createdAtMs: NOW_MS,
      publishedAtMs: null,
      endedAtMs: null,
    });
    const unpublished = unique('aaaaaaaa');
    await storage.streams.create(stream(ended, unique('aaaaaaaa')));
    await storage.streams.create(stream(live, unpublished));
    await storage.streams.create(stream(live, unique('aaaaaaaa')));
    await storage.streams.end(unpublished, 100);
    await storage.connections.end(ended.connectionId, 'clientDisconnected', 100);
    await storage.connections.end(recent.connectionId, 'clientDisconnected', 200);
    equal(await storage.connections.forgetEnded(200), 1);
    equal(await storage.connections.forgetEnded(200), 0);
    equal(await storage.connections.get(ended.connectionId), null);
    equal(await storage.transports.get(ended.transportId), null);
    equal((await storage.connections.get(recent.connectionId))?.endedAtMs, 200);
    equal((await storage.transports.get(recent.transportId))?.endedAtMs, 200);
    equal((await storage.transports.get(live.transportId))?.endedAtMs, null);
    equal((await storage.streams.listLive([live.sessionId])).length, 1);
    // The stream that ended is gone, so its id is free.
    await storage.streams.create(stream(live, unpublished));
    equal((await storage.streams.listLive([live.sessionId])).length, 2);
  });

  it('keeps as many ended migrations of a session as its history shows, the newest', async () => {
    const { migrations, moves } = open();
    const sessionId = await newSession(open());
    const other = migrationOf(await newSession(open()));
    await migrations.create(other);
    const ids: string[] = [];
    for (let number = 0; number < MIGRATION_HISTORY_MAX + 2; number++) {
      const migration = { ...migrationOf(sessionId), createdAtMs: NOW_MS + number };
      ids.push(migration.migrationId);
      await migrations.create(migration);
      await moves.save([{ ...MOVE, moveId: unique('dddddddd'), migrationId: migration.migrationId }]);
      await migrations.end(migration.migrationId, 'completed', NOW_MS + number);
    }
    const kept = (await migrations.listOfSession(sessionId)).map(({ migrationId }) => migrationId);
    equal(kept, ids.slice(2).reverse());
    const [oldest = '', second = '', third = ''] = ids;
    equal([await migrations.get(oldest), await migrations.get(second)], [null, null]);
    equal((await moves.listOfMigration(second)).length, 0);
    equal((await moves.listOfMigration(third)).length, 1);
    equal((await migrations.get(other.migrationId))?.status, 'pending');
    await migrations.endUnfinished([sessionId, other.sessionId], NOW_MS);
  });
}
