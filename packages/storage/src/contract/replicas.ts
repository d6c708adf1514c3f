import type { NewSignal } from '../records.js';
import type { RosterStorage } from '../storage.js';
import { newSession, newTransport, NOW_MS, unique, type ContractRunner } from './fixtures.js';

/** A replica that has the database to itself, with an id that no other test has. */
async function begin({ replicas }: RosterStorage): Promise<string> {
  const replicaId = unique('replica');
  await replicas.beginAlone({ replicaId, url: null, startedAtMs: NOW_MS });
  return replicaId;
}

const signal = (fromConnectionId: string | null, requestId: number | null, data: string): NewSignal => ({
  fromConnectionId,
  requestId,
  toConnectionId: null,
  event: { event: 'signal', data },
  createdAtMs: NOW_MS,
});

export function replicaContract(runner: ContractRunner, open: () => RosterStorage): void {
  keepingContract(runner, open);
  signalContract(runner, open);
}

function keepingContract({ it, equal }: ContractRunner, open: () => RosterStorage): void {
  it('lets one replica keep a session, in terms that grow', async () => {
    const storage = open();
    const { replicas } = storage;
    const first = await begin(storage);
    const sessionId = await newSession(storage);
    equal(await replicas.keeperOf(sessionId), null);
    equal(await replicas.keep('none', first), null);
    const kept = await Promise.all([replicas.keep(sessionId, first), replicas.keep(sessionId, first)]);
    equal(
      kept.map((keeping) => keeping?.isOurs === true && keeping.kept.term),
      [1, 1],
    );
    equal(await replicas.keep(sessionId, 'another'), {
      isOurs: false,
      keeper: { replicaId: first, url: null, startedAtMs: NOW_MS },
    });
    const second = await begin(storage);
    equal(await replicas.keeperOf(sessionId), null);
    const later = await replicas.keep(sessionId, second);
    equal(later?.isOurs === true && later.kept.term, 2);
    equal(await replicas.raiseTerm(sessionId, first, 2), null);
    equal(await replicas.raiseTerm(sessionId, second, 1), null);
    await replicas.letGo(sessionId, first, 2);
    await replicas.letGo(sessionId, second, 1);
    equal((await replicas.keeperOf(sessionId))?.replicaId, second);
    await replicas.letGo(sessionId, second, 2);
    equal(await replicas.keeperOf(sessionId), null);
    const again = await replicas.keep(sessionId, second);
    equal(again?.isOurs === true && again.kept.term, 3);
    const raised = await replicas.raiseTerm(sessionId, second, 3);
    equal(raised !== null && raised > 100, true);
    const kept3 = await replicas.keep(sessionId, second);
    equal(kept3?.isOurs === true && kept3.kept.term, raised);
  });

  it('gives the sessions of a replica that is gone to the next, those that somebody is in', async () => {
    const storage = open();
    const { replicas } = storage;
    const first = await begin(storage);
    const [inhabited, empty] = [(await newTransport(storage)).sessionId, await newSession(storage)];
    for (const sessionId of [inhabited, empty]) await replicas.keep(sessionId, first);
    const second = await begin(storage);
    const orphans = await replicas.keepOrphans(second, 1_000);
    equal(orphans.find(({ record }) => record.sessionId === inhabited)?.term, 2);
    equal(
      orphans.some(({ record }) => record.sessionId === empty),
      false,
    );
    equal(await replicas.keepOrphans(second, 1_000), []);
  });
}

function signalContract({ it, equal }: ContractRunner, open: () => RosterStorage): void {
  it('numbers signals in order, and writes what a sender repeats once', async () => {
    const storage = open();
    const { replicas, signals } = storage;
    const replicaId = await begin(storage);
    const sessionId = await newSession(storage);
    await replicas.keep(sessionId, replicaId);
    const from = unique('connection');
    equal(await signals.append(sessionId, 1, [signal(from, 1, 'a'), signal(null, null, 'b')]), [1, 2]);
    equal(await signals.append(sessionId, 1, [signal(from, 1, 'a'), signal(from, 2, 'c')]), [null, 4]);
    equal(await signals.listSince([sessionId], NOW_MS + 1), []);
    const listed = await signals.listSince([sessionId], NOW_MS);
    equal(
      listed.map(({ number, event }) => [number, event]),
      [
        [1, { event: 'signal', data: 'a' }],
        [2, { event: 'signal', data: 'b' }],
        [4, { event: 'signal', data: 'c' }],
      ],
    );
    const kept = await replicas.keep(sessionId, replicaId);
    equal(kept?.isOurs === true && kept.kept.signals, 4);
  });

  it('takes no signal from a replica whose term is over, and forgets old ones', async () => {
    const storage = open();
    const { replicas, signals } = storage;
    const sessionId = await newSession(storage);
    await replicas.keep(sessionId, await begin(storage));
    await replicas.keep(sessionId, await begin(storage));
    const refused = await signals
      .append(sessionId, 1, [signal(null, null, 'late')])
      .catch((error: unknown) => error);
    equal((refused as { code?: string }).code, 'sessionTaken');
    equal(await signals.append(sessionId, 2, [signal(null, null, 'new')]), [1]);
    while ((await signals.forget(NOW_MS + 1)) > 0);
    equal(await signals.listSince([sessionId], 0), []);
    equal(await signals.append(sessionId, 2, [signal(null, null, 'newer')]), [2]);
  });
}
