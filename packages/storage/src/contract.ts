import { MIGRATION_HISTORY_MAX } from './limits.js';
import type { Json, MigrationRecord, TransportRecord } from './records.js';
import type { Storage } from './storage.js';

/** What the suite needs of a test runner: vitest's `it` and `expect` fit. */
export interface ContractRunner {
  it(name: string, test: () => Promise<void>): void;
  equal(actual: unknown, expected: unknown): void;
}

/** The contract of the port: every implementation passes it on an empty database. */
export function storageContract(runner: ContractRunner, open: () => Storage): void {
  ownershipContract(runner, open);
  outcomeContract(runner, open);
  rosterContract(runner, open);
  migrationContract(runner, open);
  retentionContract(runner, open);
}

const NOW_MS = 1_700_000_000_000;
let counter = 0;
const unique = (prefix: string): string => `${prefix}${(counter++).toString(16).padStart(8, '0')}`;

async function newSession(storage: Storage, demoName: string | null = null): Promise<string> {
  await storage.projects.ensure({ apiKey: '100', name: 'contract', createdAtMs: NOW_MS });
  const sessionId = unique('1_session');
  await storage.sessions.create({
    sessionId,
    apiKey: '100',
    location: '',
    demo: demoName !== null,
    demoName,
    homeNodeId: null,
    createdAtMs: NOW_MS,
    lastMigrationEndedAtMs: null,
  });
  return sessionId;
}

async function newTransport(storage: Storage): Promise<TransportRecord> {
  const sessionId = await newSession(storage);
  const connectionId = unique('connection');
  await storage.connections.create({
    connectionId,
    sessionId,
    data: 'name=Ada',
    role: 'publisher',
    sessionMigration: true,
    pathMethod: 'candidate',
    eventsSuppressed: false,
    resumeTokenHash: 'hash',
    createdAtMs: NOW_MS,
    endedAtMs: null,
    endReason: null,
  });
  const transport: TransportRecord = {
    transportId: unique('00000000'),
    sessionId,
    connectionId,
    ownerNodeId: 'node-a',
    epoch: 1,
    epochHighest: 1,
    intent: null,
    lastIntent: null,
    connected: false,
    negotiated: { version: 1, sections: [{ mid: '0' }] } satisfies Json,
    createdAtMs: NOW_MS,
    endedAtMs: null,
  };
  await storage.transports.create(transport);
  return transport;
}

function ownershipContract({ it, equal }: ContractRunner, open: () => Storage): void {
  it('grants a move to one of many callers and reserves two new epochs', async () => {
    const { transports } = open();
    const { transportId } = await newTransport(open());
    const owner = { ownerNodeId: 'node-a', epoch: 1 };
    const grants = await Promise.all(
      ['m1', 'm2', 'm3', 'm4'].map((moveId) =>
        transports.beginMove(transportId, owner, { moveId, targetNodeId: 'node-b' }),
      ),
    );
    const won = grants.filter((grant) => grant !== null);
    equal(won.length, 1);
    equal(
      { ...won[0], moveId: null },
      { moveId: null, sourceNodeId: 'node-a', targetNodeId: 'node-b', targetEpoch: 2, returnEpoch: 3 },
    );
  });

  it('never grants an epoch twice, though moves are given up', async () => {
    const { transports } = open();
    const { transportId } = await newTransport(open());
    const owner = { ownerNodeId: 'node-a', epoch: 1 };
    await transports.beginMove(transportId, owner, { moveId: 'm1', targetNodeId: 'node-b' });
    await transports.endMove(transportId, { moveId: 'm1', ...owner });
    const second = await transports.beginMove(transportId, owner, { moveId: 'm2', targetNodeId: 'node-b' });
    equal([second?.targetEpoch, second?.returnEpoch], [4, 5]);
    await transports.raiseEpochs(transportId, 3);
    equal((await transports.get(transportId))?.epochHighest, 5);
    await transports.raiseEpochs(transportId, 12);
    equal((await transports.get(transportId))?.epochHighest, 12);
  });

  it('refuses to move a transport at another epoch, of another owner, or ended', async () => {
    const { transports } = open();
    const { transportId } = await newTransport(open());
    const grant = { moveId: 'm', targetNodeId: 'node-b' };
    equal(await transports.beginMove(transportId, { ownerNodeId: 'node-a', epoch: 2 }, grant), null);
    equal(await transports.beginMove(transportId, { ownerNodeId: 'node-c', epoch: 1 }, grant), null);
    equal(await transports.end(transportId, NOW_MS), true);
    equal(await transports.end(transportId, NOW_MS), false);
    await transports.saveNegotiated(transportId, { ice: 'too late' });
    equal((await transports.get(transportId))?.negotiated, null);
    equal(await transports.beginMove(transportId, { ownerNodeId: 'node-a', epoch: 1 }, grant), null);
  });

  it('notes a handshake only for the epoch that owns', async () => {
    const { transports } = open();
    const { transportId } = await newTransport(open());
    equal(await transports.setConnected(transportId, 7), false);
    equal(await transports.setConnected(transportId, 1), true);
    await transports.saveNegotiated(transportId, { version: 2 });
    const record = await transports.get(transportId);
    equal([record?.connected, record?.negotiated], [true, { version: 2 }]);
  });
}

function outcomeContract({ it, equal }: ContractRunner, open: () => Storage): void {
  it('records the end of a move for the holder of the intent only', async () => {
    const { transports } = open();
    const { transportId } = await newTransport(open());
    await transports.beginMove(
      transportId,
      { ownerNodeId: 'node-a', epoch: 1 },
      { moveId: 'm', targetNodeId: 'node-b' },
    );
    equal(await transports.endMove(transportId, { moveId: 'other', ownerNodeId: 'node-b', epoch: 2 }), false);
    equal(await transports.endMove(transportId, { moveId: 'm', ownerNodeId: 'node-b', epoch: 9 }), false);
    const result = { moveId: 'm', ownerNodeId: 'node-b', epoch: 2, negotiated: { version: 3 } };
    equal(await transports.endMove(transportId, result), true);
    equal(await transports.endMove(transportId, { moveId: 'm', ownerNodeId: 'node-a', epoch: 3 }), false);
    const record = await transports.get(transportId);
    equal([record?.ownerNodeId, record?.epoch, record?.intent], ['node-b', 2, null]);
    equal(record?.negotiated, { version: 3 });
    equal(record?.lastIntent?.moveId, 'm');
  });

  it('lets the higher epoch of the last grant win after the end was recorded, and nothing else', async () => {
    const { transports } = open();
    const { transportId } = await newTransport(open());
    const grant = { moveId: 'm', targetNodeId: 'node-b' };
    await transports.beginMove(transportId, { ownerNodeId: 'node-a', epoch: 1 }, grant);
    const tookBack = { moveId: 'm', ownerNodeId: 'node-a', epoch: 3 };
    equal(await transports.correctMove(transportId, tookBack), false);
    await transports.endMove(transportId, { moveId: 'm', ownerNodeId: 'node-b', epoch: 2 });
    equal(await transports.correctMove(transportId, { ...tookBack, ownerNodeId: 'node-c' }), false);
    equal(await transports.correctMove(transportId, { ...tookBack, moveId: 'other' }), false);
    equal(await transports.correctMove(transportId, tookBack), true);
    equal(await transports.correctMove(transportId, tookBack), false);
    const lower = { moveId: 'm', ownerNodeId: 'node-b', epoch: 2 };
    equal(await transports.correctMove(transportId, lower), false);
    const record = await transports.get(transportId);
    equal([record?.ownerNodeId, record?.epoch, record?.epochHighest], ['node-a', 3, 3]);
  });

  it('decides a move once, in a new epoch that no word of its two nodes can change', async () => {
    const { transports } = open();
    const { transportId } = await newTransport(open());
    const grant = { moveId: 'm', targetNodeId: 'node-b' };
    await transports.beginMove(transportId, { ownerNodeId: 'node-a', epoch: 1 }, grant);
    const decision = { moveId: 'm', ownerNodeId: 'node-b' };
    const decisions = await Promise.all([
      transports.decideMove(transportId, decision),
      transports.decideMove(transportId, { ...decision, ownerNodeId: 'node-a' }),
    ]);
    equal(
      decisions.filter((epoch) => epoch !== null),
      [4],
    );
    const tookBack = { moveId: 'm', ownerNodeId: 'node-a', epoch: 3 };
    equal(await transports.correctMove(transportId, tookBack), false);
    equal(await transports.endMove(transportId, tookBack), false);
    const record = await transports.get(transportId);
    equal([record?.epoch, record?.epochHighest, record?.intent, record?.lastIntent], [4, 4, null, null]);
  });
}

function rosterContract({ it, equal }: ContractRunner, open: () => Storage): void {
  it('ends a connection once, with its streams and its transport', async () => {
    const storage = open();
    const transport = await newTransport(storage);
    const streamId = unique('aaaaaaaa');
    const { sessionId, connectionId } = transport;
    const stream = { streamId, sessionId, connectionId, info: { name: 'é "quoted"' }, createdAtMs: NOW_MS };
    await storage.streams.create({ ...stream, publishedAtMs: null, endedAtMs: null });
    equal(await storage.streams.publish(streamId, NOW_MS), true);
    equal(await storage.streams.publish(streamId, NOW_MS), false);
    equal((await storage.streams.listLive(sessionId))[0]?.info, { name: 'é "quoted"' });
    equal(await storage.connections.end(connectionId, 'clientDisconnected', NOW_MS + 1), true);
    equal(await storage.connections.end(connectionId, 'networkDisconnected', NOW_MS + 2), false);
    equal(await storage.streams.listLive(sessionId), []);
    const ended = await storage.transports.get(transport.transportId);
    equal([ended?.endedAtMs, ended?.negotiated], [NOW_MS + 1, null]);
    equal((await storage.connections.get(connectionId))?.endReason, 'clientDisconnected');
  });

  it('finds demo sessions by name and refuses a second of that name', async () => {
    const storage = open();
    const demoName = unique('demo');
    const before = await storage.sessions.countDemo();
    const sessionId = await newSession(storage, demoName);
    equal(await storage.sessions.countDemo(), before + 1);
    equal((await storage.sessions.getByDemoName(demoName))?.sessionId, sessionId);
    const second = await newSession(storage, demoName);
    equal(await storage.sessions.get(second), null);
    await storage.sessions.setHomeNode(sessionId, 'node-b');
    await storage.sessions.migrationEnded(sessionId, NOW_MS + 5);
    const record = await storage.sessions.get(sessionId);
    equal([record?.homeNodeId, record?.lastMigrationEndedAtMs], ['node-b', NOW_MS + 5]);
  });

  it('pins the identity key of a node', async () => {
    const { nodes } = open();
    const nodeId = unique('node-');
    const node = {
      nodeId,
      identityKey: nodeId,
      bootId: '1',
      version: '1',
      registeredAtMs: 1,
      lastSeenAtMs: 1,
    };
    await nodes.save(node);
    await nodes.save({ ...node, identityKey: 'forged', bootId: '2' });
    equal(await nodes.getByIdentity('forged'), null);
    equal((await nodes.getByIdentity(nodeId))?.bootId, '2');
    await nodes.seen(nodeId, 9);
    equal((await nodes.get(nodeId))?.lastSeenAtMs, 9);
    await nodes.remove(nodeId);
    equal(await nodes.get(nodeId), null);
  });

  it('keeps facts about the installation', async () => {
    const { meta } = open();
    equal(await meta.get('absent'), null);
    await meta.set('key', 'one');
    await meta.set('key', 'two');
    equal(await meta.get('key'), 'two');
  });
}

const MOVE = {
  connectionId: 'c1',
  fromNodeId: 'node-a',
  toNodeId: 'node-b',
  outcome: null,
  failure: null,
  gap: null,
  measures: null,
  startedAtMs: NOW_MS,
  endedAtMs: null,
};

const migrationOf = (sessionId: string): MigrationRecord => ({
  migrationId: unique('migration'),
  sessionId,
  status: 'pending',
  targetNodeId: 'node-b',
  rehearsal: false,
  moved: 0,
  total: 0,
  createdAtMs: NOW_MS,
  endedAtMs: null,
});

function migrationContract({ it, equal }: ContractRunner, open: () => Storage): void {
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
    equal(await migrations.endUnfinished(NOW_MS), 1);
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
    await migrations.endUnfinished(NOW_MS + 9);
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

function retentionContract({ it, equal }: ContractRunner, open: () => Storage): void {
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
    equal((await storage.streams.listLive(live.sessionId)).length, 1);
    // The stream that ended is gone, so its id is free.
    await storage.streams.create(stream(live, unpublished));
    equal((await storage.streams.listLive(live.sessionId)).length, 2);
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
    await migrations.endUnfinished(NOW_MS);
  });
}
