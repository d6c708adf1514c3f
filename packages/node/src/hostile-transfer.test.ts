import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSealKeyPair, sealState } from '@godwit/transport';
import { decodeHandoverMessage, encodeHandoverMessage, type HandoverMessage } from './handover/messages.js';
import { TRANSFER_FRAGMENT_BYTES, TRANSFER_FRAGMENTS_MAX } from './limits.js';
import { Call, PUBLISHER, SUBSCRIBER, until, type MoveOfTest, type TestNode } from './testing/call.js';

// Two nodes on real sockets and a call that flows; what the source says to the target is changed on the way, as a
// node with a fault or with bad intent would say it.

type Transfer = Extract<HandoverMessage, { kind: 'transfer' }>;
const SOURCE = 0;
const TARGET = 1;

let call: Call;
/** Both nodes keep their own originals of what goes out. */
const real = new Map<TestNode, TestNode['datapath']['sendLinkMessage']>();

/** Every handover message of a node goes through `change`, which says what is sent instead. */
function tamper(node: TestNode, change: (message: HandoverMessage) => HandoverMessage[]): void {
  const send = real.get(node) ?? node.datapath.sendLinkMessage.bind(node.datapath);
  real.set(node, send);
  node.datapath.sendLinkMessage = (linkId, bytes) => {
    const message = decodeHandoverMessage(Buffer.from(bytes));
    if (message === null) return send(linkId, bytes);
    for (const other of change(message)) send(linkId, encodeHandoverMessage(other));
    return true;
  };
}

function say(node: TestNode, to: TestNode, message: HandoverMessage): void {
  const send = real.get(node) ?? node.datapath.sendLinkMessage.bind(node.datapath);
  send(to.nodeId, encodeHandoverMessage(message));
}

async function failedMove(
  transportId: string,
  change: (message: Transfer) => HandoverMessage[],
): Promise<MoveOfTest> {
  tamper(call.node(SOURCE), (message) => (message.kind === 'transfer' ? change(message) : [message]));
  const move = await call.prepare(transportId, [SOURCE, TARGET], 2);
  expect(await call.follow(transportId, SOURCE, move)).toBe('failed');
  tamper(call.node(SOURCE), (message) => [message]);
  return move;
}

/** The source has it back, goes on, and nothing half done is left at the target. */
async function expectTakenBack(transportId: string, epoch = 3): Promise<void> {
  await call.pass(60);
  const { transports } = call.node(SOURCE).core.context;
  expect(transports.get(transportId)?.role).toEqual({ name: 'owner', epoch });
  const target = call.node(TARGET);
  expect(target.core.context.transports.get(transportId)?.role.name).not.toBe('owner');
  expect(target.datapath.sendRtcp(transportId, Buffer.from('80c9000100001111', 'hex'))).toBe(false);
  expect(target.core.moves.running).toBe(0);
}

beforeEach(async () => {
  real.clear();
  call = await Call.open(2);
});
afterEach(() => call.close());

/** As a later version would begin a state. */
const ofSchema = (schema: number): Buffer => {
  const bytes = Buffer.alloc(900);
  bytes.write('GDWT');
  bytes.writeUInt16BE(schema, 4);
  return bytes;
};

const flip = (bytes: Buffer, at: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 0x40;
  return copy;
};

describe('a state that is not what the target was promised', { retry: 1 }, () => {
  const context = (message: Transfer) => ({
    moveId: message.moveId,
    transportId: PUBLISHER,
    epoch: message.epoch,
  });
  const key = () =>
    Buffer.from(call.node(TARGET).core.moves.target(lastMoveId())?.answer.sealKey ?? '', 'base64');
  let moveIds: string[] = [];
  const lastMoveId = (): string => moveIds.at(-1) ?? '';

  it.each<[string, (message: Transfer) => Buffer]>([
    ['with one bit changed', ({ bytes }) => flip(bytes, bytes.length >> 1)],
    ['with one bit of its key changed', ({ bytes }) => flip(bytes, 3)],
    ['that lacks its last byte', ({ bytes }) => bytes.subarray(0, -1)],
    ['of one byte', () => Buffer.from([1])],
    [
      'sealed to another key',
      (message) => sealState(Buffer.alloc(900), createSealKeyPair().publicKey, context(message)),
    ],
    [
      'sealed for another move',
      (message) => sealState(Buffer.alloc(900), key(), { ...context(message), moveId: '0000000000000009' }),
    ],
    [
      'sealed for this move, of nonsense',
      (message) => sealState(Buffer.alloc(900, 7), key(), context(message)),
    ],
    ['of a newer schema', (message) => sealState(ofSchema(2), key(), context(message))],
  ])('is refused %s, and the publisher loses nothing', async (name, forge) => {
    await failedMove(PUBLISHER, (message) => {
      moveIds = [message.moveId];
      return [{ ...message, fragment: 0, fragments: 1, bytes: forge(message) }];
    });
    await expectTakenBack(PUBLISHER);
    expect(await call.missing()).toEqual([]);
    expect(call.node(SOURCE).outcomes(lastMoveId())).toEqual(['failed']);
    const refusals = call.node(TARGET).log.filter((line) => line.includes('a transferred state was refused'));
    const reason = name === 'of a newer schema' ? 'unsupportedSchema' : /notSealedForUs|notAState/;
    expect(refusals.map((line) => String((JSON.parse(line) as { reason: unknown }).reason))).toEqual([
      expect.stringMatching(reason),
    ]);
  });

  it('never becomes whole from fragments of two attempts, and the subscriber goes on', async () => {
    let attempt = 0;
    await failedMove(SUBSCRIBER, (message) => {
      attempt += 1;
      const half = Math.ceil(message.bytes.length / 2);
      const [first, second] = [message.bytes.subarray(0, half), message.bytes.subarray(half)];
      // The first half of the true state, the second of something else, and counts that change in between.
      return [
        { ...message, fragment: 0, fragments: 3, bytes: first },
        { ...message, fragment: 0, fragments: 2, bytes: first },
        { ...message, fragment: 1, fragments: 2, bytes: attempt === 1 ? flip(second, 0) : second },
      ];
    });
    await expectTakenBack(SUBSCRIBER);
    await call.pass(40);
    expect(call.subscriber.received.length).toBeGreaterThan(60);
  });

  it('that never comes whole is taken back after silence, and costs the target a bounded memory', async () => {
    const target = call.node(TARGET);
    // The target stays silent too, and control has been gone for long.
    tamper(target, (message) => (message.kind === 'pathNominated' ? [message] : []));
    const sendAll = target.datapath.sendLinkMessage;
    target.datapath.sendLinkMessage = (linkId, bytes) => (bytes[0] === 1 ? sendAll(linkId, bytes) : true);
    call.node(SOURCE).controlHeardAtMs = -1e9;
    await failedMove(PUBLISHER, (message) =>
      Array.from({ length: TRANSFER_FRAGMENTS_MAX - 1 }, (_, fragment) => ({
        ...message,
        fragment,
        fragments: TRANSFER_FRAGMENTS_MAX,
        bytes: Buffer.alloc(TRANSFER_FRAGMENT_BYTES, 1),
      })),
    );
    target.datapath.sendLinkMessage = real.get(target) ?? sendAll;
    await until('the abort is heard', () => target.core.moves.running === 0);
    await expectTakenBack(PUBLISHER);
    expect(await call.missing()).toEqual([]);
  });

  it('is put together from fragments in any order, however often they come', async () => {
    const shuffled = fc.sample(fc.shuffledSubarray([0, 1, 2, 0, 1, 2, 2], { minLength: 7 }), 1)[0] ?? [];
    tamper(call.node(SOURCE), (message) => {
      if (message.kind !== 'transfer') return [message];
      const third = Math.ceil(message.bytes.length / 3);
      return shuffled.map((fragment) => ({
        ...message,
        fragment,
        fragments: 3,
        bytes: message.bytes.subarray(fragment * third, (fragment + 1) * third),
      }));
    });
    const move = await call.prepare(PUBLISHER, [SOURCE, TARGET], 2);
    expect(await call.follow(PUBLISHER, SOURCE, move)).toBe('completed');
    await call.pass(50);
    expect(await call.missing()).toEqual([]);
  });
});

describe('a node that speaks of moves', { retry: 1 }, () => {
  const OTHER_MOVE = '00000000000000dd';

  it('is not heard when it is not the other party, or says another epoch', async () => {
    await call.close();
    call = await Call.open(3);
    const [source, target, stranger] = [call.node(0), call.node(1), call.node(2)];
    const move = await call.prepare(SUBSCRIBER, [0, 1], 2);
    const { moveId } = move;
    const bytes = Buffer.alloc(100, 1);
    for (const epoch of [1, 2, 3]) {
      for (const kind of [
        'accepted',
        'refused',
        'released',
        'forgotten',
        'pathNominated',
        'release',
      ] as const) {
        say(stranger, source, { kind, moveId, epoch });
        say(stranger, target, { kind, moveId, epoch });
        if (epoch !== 2) say(target, source, { kind, moveId, epoch });
      }
      for (const to of [source, target]) {
        say(stranger, to, { kind: 'pathProven', moveId, epoch, pathId: 1 });
        say(stranger, to, { kind: 'transfer', moveId, epoch, fragment: 0, fragments: 1, bytes });
        say(stranger, to, { kind: 'abort', moveId, epoch, ownerEpoch: 9 });
        say(stranger, to, { kind: 'transfer', moveId: OTHER_MOVE, epoch, fragment: 0, fragments: 1, bytes });
        say(stranger, to, { kind: 'abort', moveId: OTHER_MOVE, epoch, ownerEpoch: 9 });
      }
    }
    await call.pass(40);
    expect(source.core.moves.sourceOf(SUBSCRIBER)?.move.stateName).toBe('proving');
    expect(source.counter('to_client_sent')).toBe(0);
    expect(target.core.moves.target(moveId)?.move.stateName).toBe('prepared');
    expect(await call.follow(SUBSCRIBER, 0, move)).toBe('completed');
    expect(await call.missing()).toEqual([]);
  });

  it('gets no transport taken away by what its target says out of turn', async () => {
    const [source, target] = [call.node(0), call.node(1)];
    const { moveId, epoch } = await call.prepare(SUBSCRIBER, [0, 1], 2);
    for (const kind of ['accepted', 'released', 'forgotten', 'refused'] as const)
      say(target, source, { kind, moveId, epoch });
    await call.pass(40);
    expect(source.core.context.transports.get(SUBSCRIBER)?.role).toEqual({ name: 'owner', epoch: 1 });
    expect(source.core.moves.sourceOf(SUBSCRIBER)?.move.stateName).toBe('proving');
    expect(await call.missing()).toEqual([]);
  });
});
