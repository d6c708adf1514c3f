import type { RosterStorage } from '../storage.js';
import { newSession, newTransport, NOW_MS, unique, type ContractRunner } from './fixtures.js';

export function connectionsContract({ it, equal }: ContractRunner, open: () => RosterStorage): void {
  it('ends a connection once, with its streams and its transport', async () => {
    const storage = open();
    const transport = await newTransport(storage);
    const streamId = unique('aaaaaaaa');
    const { sessionId, connectionId } = transport;
    const stream = {
      streamId,
      sessionId,
      connectionId,
      info: { name: 'é "quoted"' },
      layoutClasses: [],
      createdAtMs: NOW_MS,
    };
    await storage.streams.create({ ...stream, publishedAtMs: null, endedAtMs: null });
    equal(await storage.streams.publish(streamId, NOW_MS), true);
    equal(await storage.streams.publish(streamId, NOW_MS), false);
    await storage.streams.setLayoutClasses(streamId, ['focus', 'left']);
    const [live] = await storage.streams.listLive([sessionId]);
    equal([live?.info, live?.layoutClasses], [{ name: 'é "quoted"' }, ['focus', 'left']]);
    equal((await storage.connections.get(connectionId))?.layoutClasses, ['full', 'focus']);
    equal(
      [...(await storage.sessions.countLive([sessionId, 'none']))],
      [[sessionId, { connections: 1, streams: 1 }]],
    );
    equal(await storage.connections.end(connectionId, 'clientDisconnected', NOW_MS + 1), true);
    equal([...(await storage.sessions.countLive([sessionId]))], []);
    equal(await storage.connections.end(connectionId, 'networkDisconnected', NOW_MS + 2), false);
    equal(await storage.streams.listLive([sessionId]), []);
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
    await storage.sessions.setMuteForced(sessionId, true);
    const record = await storage.sessions.get(sessionId);
    equal(
      [record?.homeNodeId, record?.lastMigrationEndedAtMs, record?.muteForced],
      ['node-b', NOW_MS + 5, true],
    );
  });

  it('gives each identity an id of its own, and keeps it while anything is bound to it', async () => {
    const storage = open();
    const { nodes } = storage;
    const [wished, other] = [unique('node-'), unique('node-')];
    const node = (identityKey: string, bootId = '1') => ({
      identityKey,
      bootId,
      version: '1',
      registeredAtMs: 1,
      lastSeenAtMs: 1,
    });
    equal(await nodes.register(node(wished), [wished, other]), wished);
    equal(await nodes.register(node('second'), [wished, other]), other);
    equal(await nodes.register(node('third'), [wished, other]), null);
    equal(await nodes.register(node(wished, '2'), ['node-x']), wished);
    equal((await nodes.get(wished))?.bootId, '2');
    await nodes.seen([wished], 9);
    equal((await nodes.get(wished))?.lastSeenAtMs, 9);
    const { transportId } = await newTransport(storage, other);
    equal((await storage.transports.countLive()).get(other), { transports: 1, sessions: 1 });
    equal(await nodes.forgetIdle(9), []);
    await storage.transports.end(transportId, NOW_MS);
    equal(await nodes.forgetIdle(9), [other]);
    equal(await nodes.forgetIdle(10), [wished]);
    equal(await nodes.get(wished), null);
  });

  it('keeps facts about the installation', async () => {
    const { meta } = open();
    equal(await meta.get('absent'), null);
    await meta.set('key', 'one');
    await meta.set('key', 'two');
    equal(await meta.get('key'), 'two');
  });
}
