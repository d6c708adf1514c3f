import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Timings } from '../context.js';
import { deferred } from '../deadline.js';
import { FakeClient, type ConnectResult } from '../testing/fake-client.js';
import type { FakeNode } from '../testing/fake-node.js';
import { Harness } from '../testing/harness.js';
import type { MoveStep } from '../testing/model-node.js';
import {
  enter,
  expectAgreement,
  openRaceScene,
  requestsBegun,
  type PathMethod,
  type Person,
  type RaceScene,
} from '../testing/race-scene.js';

// Steps x actions. A move of the subject is held at each step, somebody acts, and only then the move goes on. Real control
// and database; the nodes are models that refuse what real nodes refuse.

let harness: Harness;
let nodes: [FakeNode, FakeNode];

/** What an action leaves behind, once the move has ended too. */
interface Outcome {
  readonly people: readonly Person[];
  /** How the subject's move ends; default: completed. */
  readonly outcome?: 'completed' | 'failed' | null;
}

interface Action {
  readonly name: string;
  /** It asks for something that the end of the move would answer otherwise: the move goes on after the answer. */
  readonly isAnsweredFirst?: true;
  /** Begins at once; resolves when everything that it asked for is answered. */
  run(scene: RaceScene): Promise<Outcome>;
}

const both = ({ subject, other }: RaceScene): readonly Person[] => [subject, other];

const ACTIONS: readonly Action[] = [
  {
    name: 'a third person joins, publishes and subscribes',
    run: async (scene) => {
      const third = await enter(scene.harness, scene.sessionId, 'candidate', 9_000);
      await third.call.publish();
      await third.call.subscribe(scene.subjectStream);
      return { people: [...both(scene), third] };
    },
  },
  {
    name: 'the subject leaves',
    run: async (scene) => {
      await scene.subject.client.request('disconnect');
      return { people: [scene.other], outcome: null };
    },
  },
  {
    name: 'the other leaves',
    run: async (scene) => {
      await scene.other.client.request('disconnect');
      return { people: [scene.subject] };
    },
  },
  {
    name: 'everybody leaves, and the session is over',
    run: async (scene) => {
      await Promise.all(both(scene).map(({ client }) => client.request('disconnect')));
      return { people: [], outcome: null };
    },
  },
  {
    name: 'the subject publishes a second stream',
    run: async (scene) => {
      await scene.subject.call.publish();
      return { people: both(scene) };
    },
  },
  {
    name: 'the subject unpublishes',
    run: async (scene) => {
      await scene.subject.call.unpublish(scene.subjectStream);
      return { people: both(scene) };
    },
  },
  {
    name: 'the other publishes',
    run: async (scene) => {
      await scene.other.call.publish();
      return { people: both(scene) };
    },
  },
  {
    name: 'the other unpublishes what the subject receives',
    run: async (scene) => {
      await scene.other.call.unpublish(scene.otherStreams[0]);
      return { people: both(scene) };
    },
  },
  {
    name: 'the subject subscribes to a second stream',
    run: async (scene) => {
      await scene.subject.call.subscribe(scene.otherStreams[1]);
      return { people: both(scene) };
    },
  },
  {
    name: 'the subject unsubscribes',
    run: async (scene) => {
      await scene.subject.call.unsubscribe(scene.otherStreams[0]);
      return { people: both(scene) };
    },
  },
  {
    name: 'the other unsubscribes from the subject',
    run: async (scene) => {
      await scene.other.call.unsubscribe(scene.subjectStream);
      return { people: both(scene) };
    },
  },
  {
    name: 'the subject mutes itself and wants no video',
    run: async (scene) => {
      const { subject, subjectStream, otherStreams } = scene;
      await Promise.all([
        subject.client.request('updateStream', { streamId: subjectStream, hasAudio: false, hasVideo: false }),
        subject.client.request('updateSubscription', { streamId: otherStreams[0], video: false }),
      ]);
      await expect.poll(() => enabled(scene)).toEqual(['audio true', 'video false']);
      return { people: both(scene) };
    },
  },
  {
    name: 'the subject reloads its page',
    run: async (scene) => {
      void scene.subject.client.request('disconnect').catch(() => undefined);
      const again = await enter(scene.harness, scene.sessionId, 'candidate', 9_000);
      await again.call.publish();
      await again.call.subscribe(scene.otherStreams[0]);
      return { people: [again, scene.other], outcome: null };
    },
  },
  {
    name: "the subject's signalling socket breaks and resumes",
    isAnsweredFirst: true,
    run: async (scene) => {
      const { joined } = scene.subject;
      scene.subject.client.drop();
      const socket = await FakeClient.open(scene.harness.url);
      const resumed = await socket.request<ConnectResult>('resume', {
        connectionId: joined.connection.connectionId,
        resumeToken: joined.resumeToken,
        lastSeq: scene.subject.client.events.at(-1)?.seq ?? joined.seq,
      });
      expect(resumed.resumed).toBe(true);
      scene.subject.call.resumeOn(socket);
      return { people: both(scene) };
    },
  },
  {
    name: "the subject's network changes and it asks for an ICE restart",
    run: async (scene) => {
      const { restarts } = scene.subject.call;
      await scene.subject.client.request('requestRestart');
      expect(scene.subject.call.restarts).toBeGreaterThan(restarts);
      return { people: both(scene) };
    },
  },
  {
    name: 'a second migration is asked for',
    isAnsweredFirst: true,
    run: async (scene) => {
      const answer = await scene.harness.rest('POST', `${scene.sessionId}/migrate`);
      expect(answer).toMatchObject({ status: 409, body: { code: 15214 } });
      return { people: both(scene) };
    },
  },
];

/** Which kinds of the subject's subscription its owner sends. */
function enabled({ a, b, transportId }: RaceScene): string[] {
  const media = (a.owned.get(transportId) ?? b.owned.get(transportId))?.media;
  return (media?.egress ?? []).map((rule) => `${rule.kind} ${rule.enabled}`).toSorted();
}

/** The client has an ICE restart offer and does not answer it yet. */
type Step = MoveStep | 'answer';
type Ending = 'completed' | 'given up' | 'taken back';

function hold(scene: RaceScene, step: Step): { reached: Promise<unknown>; release: () => void } {
  const { a, subject, transportId } = scene;
  if (step !== 'answer') return a.hold(step, transportId);
  const held = deferred<void>();
  subject.call.answering = held.promise;
  return { reached: subject.client.event('restartOffer'), release: () => held.resolve() };
}

interface Race {
  readonly step: Step;
  readonly ending: Ending;
  readonly pathMethod: PathMethod;
}

async function race({ step, ending, pathMethod }: Race, action: Action): Promise<void> {
  const scene = await openRaceScene(harness, nodes, pathMethod);
  const { sessionId, transportId, b, subject } = scene;
  const held = hold(scene, step);
  const started = await harness.rest('POST', `${sessionId}/migrate`, { target: b.node.nodeId });
  expect(started.status).toBe(200);
  await held.reached;
  const acted = action.run(scene);
  if (action.isAnsweredFirst === true) await acted;
  else await requestsBegun(subject, scene.other);
  if (ending === 'taken back') b.prepared.delete(transportId);
  const ended = () => harness.migrationEnd(sessionId, String(started.body['id']));
  // Control itself gives the move up: nothing goes on before.
  if (ending === 'given up') await ended();
  held.release();
  const { people, outcome = ending === 'completed' ? 'completed' : 'failed' } = await acted;
  const migration = await ended();
  const moves = migration['connections'] as { connectionId: string; outcome: string }[];
  const own = moves.find(({ connectionId }) => connectionId === subject.connectionId);
  if (outcome === null) expect(migration).toMatchObject({ status: 'completed' });
  else expect([migration['status'], own?.outcome]).toEqual([outcome, outcome]);
  await expectAgreement(scene, people);
  await expectFree(scene, people);
  for (const { client } of people) client.drop();
}

/** Whoever is left can still negotiate, and be moved again: no lock, no intent and no move is left behind. */
async function expectFree(scene: RaceScene, people: readonly Person[]): Promise<void> {
  const present = people.filter(({ client }) => client.closed === null);
  for (const { call } of present) await call.negotiate();
  if (present.length === 0) return;
  // To the node that holds nothing, be it after an end or after a failure.
  const { node } = scene.a.owned.size === 0 ? scene.a : scene.b;
  const migration = await harness.migrate(scene.sessionId, { target: node.nodeId });
  expect(migration).toMatchObject({ status: 'completed' });
  await expectAgreement(scene, people);
}

const LONG: Partial<Timings> = { connectedWaitMs: 1_000 };
/** Control gives up what waits for the client; the model needs a few milliseconds. */
const SHORT: Partial<Timings> = { ...LONG, pathProofMs: 500, restartAnswerMs: 500 };

const ALL: readonly MoveStep[] = ['relays', 'prepare', 'start', 'told', 'proven', 'transferred', 'recorded'];

const RACES: readonly Race[] = [
  ...ALL.map((step) => ({ step, ending: 'completed', pathMethod: 'candidate' }) as const),
  { step: 'answer', ending: 'completed', pathMethod: 'restart' },
  { step: 'told', ending: 'completed', pathMethod: 'restart' },
  { step: 'told', ending: 'given up', pathMethod: 'candidate' },
  { step: 'told', ending: 'given up', pathMethod: 'restart' },
  { step: 'answer', ending: 'given up', pathMethod: 'restart' },
  { step: 'proven', ending: 'taken back', pathMethod: 'candidate' },
];

describe.each(RACES)('a move by $pathMethod, held at $step and then $ending', (cell) => {
  // Of its own for each row: control remembers nodes for a minute after they have gone, and no more than 256.
  beforeAll(async () => {
    harness = await Harness.start({ timings: cell.ending === 'given up' ? SHORT : LONG });
  }, 60_000);
  afterAll(() => harness.close());
  beforeEach(async () => {
    nodes = [await harness.node(), await harness.node()];
  });
  afterEach(async () => {
    for (const node of nodes) node.stop();
    await Promise.all(nodes.map(({ ended }) => ended));
  });

  it.each(ACTIONS.map((action) => [action.name, action] as const))('%s', (_name, action) =>
    race(cell, action),
  );
});
