import type { RosterStorage } from '../storage.js';
import { migrationOf, MOVE, newSession, NOW_MS, unique, type ContractRunner } from './fixtures.js';

export function migrationContract({ it, equal }: ContractRunner, open: () => RosterStorage): void {
  it('lets one migration of a session run at a time', async () => {
    const { migrations } = open();
    const sessionId = await newSession(open());
    const tried = [migrationOf(sessionId), migrationOf(sessionId), migrationOf(sessionId)];
    const created = await Promise.all(tried.map((migration) => migrations.create(migration)));
    equal(created.filter(Boolean).length, 1);
    const first = tried[created.indexOf(true)] ?? migrationOf(sessionId);
    await migrations.progress(first.migrationId, { moved: 1, total: 2 });
    equal(await migrations.end(first.migrationId, 'completed', NOW_MS + 3), true);
    equal(await migrations.end(first.migrationId, 'failed', NOW_MS + 4), false);
    const ended = { ...first, status: 'completed', moved: 1, total: 2, endedAtMs: NOW_MS + 3 };
    equal(await migrations.get(first.migrationId), ended);
    equal(await migrations.create(migrationOf(sessionId)), true);
    equal(await migrations.endUnfinished([sessionId], NOW_MS), 1);
  });

  it('keeps the first gap report of the connection that was moved', async () => {
    const { migrations, moves } = open();
    const migration = migrationOf(await newSession(open()));
    await migrations.create(migration);
    const moveId = unique('bbbbbbbb');
    const begun = { ...MOVE, moveId, migrationId: migration.migrationId };
    await moves.save([begun]);
    equal(await moves.saveGap(moveId, 'c2', { frameGapMsMax: 1 }), false);
    equal(await moves.saveGap(moveId, 'c1', { frameGapMsMax: 40 }), true);
    equal(await moves.saveGap(moveId, 'c1', { frameGapMsMax: 0 }), false);
    const left = { ...MOVE, moveId: unique('cccccccc'), migrationId: migration.migrationId };
    const completed = { ...begun, outcome: 'completed', measures: { transferMs: 2 }, endedAtMs: NOW_MS };
    await moves.save([left, completed]);
    await moves.save([]);
    const move = (await moves.listOfMigration(migration.migrationId)).find((each) => each.moveId === moveId);
    equal(
      [move?.outcome, move?.gap, move?.measures],
      ['completed', { frameGapMsMax: 40 }, { transferMs: 2 }],
    );
    await migrations.endUnfinished([migration.sessionId], NOW_MS + 9);
    const ended = await moves.listOfMigration(migration.migrationId);
    equal(
      ended.map(({ outcome, failure, endedAtMs }) => [outcome, failure, endedAtMs]),
      [
        ['completed', null, NOW_MS],
        ['failed', 'cancelled', NOW_MS + 9],
      ],
    );
  });
}
