import { describe, expect, it } from 'vitest';
import {
  DUPLICATE_PATHS_MS,
  GRANT_INDICES,
  LINGER_MS,
  PREPARED_TTL_MS,
  RELEASE_WANTED_MS,
  REPORT_FOR_SOURCE_MS,
  SETTLE_MS,
  SOURCE_PATIENCE_MS,
  TAKE_BACK_SILENCE_MS,
  TRANSFER_FRAGMENT_BYTES,
  TRANSFER_REPEAT_MS,
} from '../limits.js';
import type { HandoverMessage } from './messages.js';
import { SourceMove } from './source-move.js';
import type { SourceMoveOutput } from './source-move-values.js';
import { TargetMove, type TargetMoveOutput } from './target-move.js';

const MOVE = {
  moveId: '00112233445566ff',
  transportId: 'a1a2a3a4a5a6a7a8',
  /** Two moves before this one failed. */
  currentEpoch: 2,
  epoch: 5,
  returnEpoch: 6,
  sourceNodeId: 'node-a',
  targetNodeId: 'node-b',
};

/** An epoch that control makes when it decides a move. */
const DECIDED_EPOCH = 9;

/** The target's name for the client's address. */
const PATH_ID = 3;

/** Source and target with a link that delivers what a test lets through; outputs are kept in order. */
function pair(options: { rehearsal?: boolean; stateBytes?: number; thawFails?: boolean } = {}) {
  const source = new SourceMove(0, { ...MOVE, rehearsal: options.rehearsal ?? false });
  const target = new TargetMove(0, MOVE);
  const log: string[] = [];
  const reports: (SourceMoveOutput | TargetMoveOutput)[] = [];
  let sealed = Buffer.alloc(0);
  let drop: (message: HandoverMessage) => boolean = () => false;

  const runSource = (now: number, outputs: SourceMoveOutput[]): void => {
    for (const output of outputs) {
      if (output.kind === 'send') {
        log.push(`source>${output.message.kind}`);
        if (!drop(output.message)) runTarget(now, target.receive(now, output.message));
        continue;
      }
      log.push(`source:${output.kind}${output.kind === 'usePaths' ? `=${output.paths}` : ''}`);
      reports.push(output);
      if (output.kind === 'freeze')
        runSource(now, source.frozen(now, Buffer.alloc(options.stateBytes ?? 700, 7)));
    }
  };
  const runTarget = (now: number, outputs: TargetMoveOutput[]): void => {
    for (const output of outputs) {
      if (output.kind === 'send') {
        log.push(`target>${output.message.kind}`);
        if (!drop(output.message)) runSource(now, source.receive(now, output.message));
        continue;
      }
      log.push(`target:${output.kind}`);
      reports.push(output);
      if (output.kind === 'thaw') {
        sealed = Buffer.from(output.sealed);
        runTarget(now, options.thawFails === true ? target.thawFailed(now) : target.thawed(now));
      }
    }
  };
  return {
    source,
    target,
    log,
    reports,
    sealed: () => sealed,
    dropWhen: (rule: typeof drop) => (drop = rule),
    runSource,
    runTarget,
    tick: (now: number, targetHeard: number, controlHeard: number) => {
      runSource(now, source.tick(now, targetHeard, controlHeard));
      runTarget(now, target.tick(now));
    },
  };
}

describe('a planned move', () => {
  it('changes the path first and the owner once the path has proven itself', () => {
    const move = pair();
    move.runSource(0, move.source.start());
    move.runTarget(10, move.target.nominated());
    move.runSource(20, move.source.provenAtTarget(20, PATH_ID, true));
    expect(move.log).toEqual([
      'source:watchTargetPath',
      'target>pathNominated',
      'source:usePaths=both',
      'source:usePaths=target',
      'source>pathProven',
      'target:pathProven',
      'source:reportProven',
      'source:freeze',
      'source>transfer',
      'target:thaw',
      'target>accepted',
      'source:handOff',
      'source>release',
      'target:liftCeiling',
      'target>released',
      'source:reportEnded',
    ]);
    expect(move.source.stateName).toBe('lingering');
    expect(move.target.stateName).toBe('owner');
    move.tick(20 + LINGER_MS, 0, 0);
    expect(move.source.stateName).toBe('done');
  });

  it('waits a bounded time for a moment at which no packet for the client has been overtaken', () => {
    const move = pair();
    move.runSource(0, move.source.provenAtTarget(0, PATH_ID, false));
    expect(move.source.stateName).toBe('settling');
    move.runSource(
      10,
      move.source.tick(10, 10, 10, () => false),
    );
    expect(move.source.stateName).toBe('settling');
    move.runSource(
      20,
      move.source.tick(20, 20, 20, () => true),
    );
    expect(move.log).toContain('source:handOff');
    const impatient = pair();
    impatient.runSource(0, impatient.source.provenAtTarget(0, PATH_ID, false));
    impatient.runSource(
      SETTLE_MS,
      impatient.source.tick(SETTLE_MS, 0, 0, () => false),
    );
    expect(impatient.log).toContain('source:handOff');
  });

  // TRANSFER overtakes pathProven on the link; without its word the new owner would send within the limit of an
  // unproven address, and drop what goes beyond.
  it('takes the word of the proof although the state has overtaken it', () => {
    const move = pair();
    const late: HandoverMessage[] = [];
    move.dropWhen((message) => message.kind === 'pathProven' && late.push(message) > 0);
    move.runSource(20, move.source.provenAtTarget(20, PATH_ID, true));
    expect(move.target.stateName).toBe('owner');
    for (const message of late) move.runTarget(21, move.target.receive(21, message));
    expect(move.log.at(-1)).toBe('target:pathProven');
  });

  it('sends to both paths for a bounded time while the new one has not proven itself', () => {
    const move = pair();
    move.runSource(0, move.source.start());
    move.runTarget(10, move.target.nominated());
    move.tick(10 + DUPLICATE_PATHS_MS - 1, 0, 0);
    expect(move.log.at(-1)).toBe('source:usePaths=both');
    move.tick(10 + DUPLICATE_PATHS_MS, 0, 0);
    expect(move.log.at(-1)).toBe('source:usePaths=own');
  });

  it('carries a state of many fragments in any number of repetitions', () => {
    const move = pair({ stateBytes: TRANSFER_FRAGMENT_BYTES * 3 + 1 });
    let lost = 0;
    move.dropWhen((message) => message.kind === 'transfer' && message.fragment === 2 && lost++ < 2);
    move.runSource(0, move.source.provenAtTarget(0, PATH_ID, true));
    expect(move.target.stateName).toBe('prepared');
    move.tick(TRANSFER_REPEAT_MS, 0, 0);
    move.tick(TRANSFER_REPEAT_MS * 2, 0, 0);
    expect(move.sealed().length).toBe(TRANSFER_FRAGMENT_BYTES * 3 + 1);
    expect(move.target.stateName).toBe('owner');
  });

  it('answers a repeated TRANSFER with ACCEPTED again when the first was lost', () => {
    const move = pair();
    let lost = 0;
    move.dropWhen((message) => message.kind === 'accepted' && lost++ === 0);
    move.runSource(0, move.source.provenAtTarget(0, PATH_ID, true));
    expect(move.source.stateName).toBe('transferring');
    expect(move.target.stateName).toBe('limited');
    move.tick(TRANSFER_REPEAT_MS, 0, 0);
    expect(move.log.filter((entry) => entry === 'target:thaw')).toHaveLength(1);
    expect(move.source.stateName).toBe('lingering');
  });

  it('is told to control by the target when the source falls silent after TRANSFER', () => {
    const move = pair();
    move.dropWhen((message) => message.kind === 'accepted');
    move.runSource(0, move.source.provenAtTarget(0, PATH_ID, true));
    move.runTarget(REPORT_FOR_SOURCE_MS - 1, move.target.tick(REPORT_FOR_SOURCE_MS - 1));
    expect(move.log).not.toContain('target:reportCompleted');
    move.runTarget(REPORT_FOR_SOURCE_MS, move.target.tick(REPORT_FOR_SOURCE_MS));
    move.runTarget(REPORT_FOR_SOURCE_MS * 2, move.target.tick(REPORT_FOR_SOURCE_MS * 2));
    expect(move.log.filter((entry) => entry === 'target:reportCompleted')).toHaveLength(1);
  });

  it('keeps the target below its ceiling until RELEASE arrives, however often it is lost', () => {
    const move = pair();
    let lost = 0;
    move.dropWhen((message) => message.kind === 'release' && lost++ < 3);
    move.runSource(0, move.source.provenAtTarget(0, PATH_ID, true));
    expect(move.target.stateName).toBe('limited');
    for (let now = 50; now <= 200; now += 50) move.tick(now, now, now);
    expect(move.log).toContain('target:liftCeiling');
  });
});

describe('taking a transport back', () => {
  const silentTarget = () => {
    const move = pair();
    move.dropWhen((message) => message.kind === 'transfer');
    move.runSource(0, move.source.provenAtTarget(0, PATH_ID, true));
    return move;
  };

  it('does not happen while control is heard', () => {
    const move = silentTarget();
    for (let now = 0; now < 5_000; now += 10) move.tick(now, 0, now);
    expect(move.log).not.toContain('source:takeBack');
  });

  it('does not happen while the target is heard', () => {
    const move = silentTarget();
    for (let now = 0; now < 5_000; now += 10) move.tick(now, now, 0);
    expect(move.log).not.toContain('source:takeBack');
  });

  it('happens after silence from both, beyond the range that was granted', () => {
    const move = silentTarget();
    move.tick(TAKE_BACK_SILENCE_MS - 1, 0, 0);
    expect(move.log).not.toContain('source:takeBack');
    move.tick(TAKE_BACK_SILENCE_MS, 0, 0);
    expect(move.reports).toContainEqual({ kind: 'takeBack', skip: GRANT_INDICES, count: GRANT_INDICES });
    expect(move.reports).toContainEqual(
      expect.objectContaining({ kind: 'reportEnded', owner: 'source', epoch: MOVE.returnEpoch }),
    );
  });

  it('happens at once when the target refuses, and the tombstone refuses again', () => {
    const move = pair({ thawFails: true });
    move.runSource(0, move.source.provenAtTarget(0, PATH_ID, true));
    expect(move.log).toContain('source:takeBack');
    expect(move.log.filter((entry) => entry === 'target:reportCompleted')).toHaveLength(0);
    expect(move.target.stateName).toBe('tombstone');
    // Where the client is now, its next packet tells.
    expect(move.log.slice(move.log.indexOf('source:takeBack'))).toContain('source:watchOwnPath');
    expect(move.log).toContain('target:forget');
  });

  it('happens on control word and on nothing less, once TRANSFER has left', () => {
    const move = silentTarget();
    expect(move.source.cancel(100, false)).toBeNull();
    const outputs = move.source.cancel(100, true);
    expect(outputs?.map(({ kind }) => kind)).toContain('takeBack');
  });

  it('makes a target that had begun in a partition yield', () => {
    const move = pair();
    move.dropWhen((message) => message.kind === 'accepted');
    move.runSource(0, move.source.provenAtTarget(0, PATH_ID, true));
    expect(move.target.stateName).toBe('limited');
    move.tick(TAKE_BACK_SILENCE_MS, 0, 0);
    expect(move.log).toContain('target:yield');
    expect(move.target.stateName).toBe('tombstone');
    expect(move.reports).toContainEqual(
      expect.objectContaining({ kind: 'reportFailed', epoch: MOVE.returnEpoch }),
    );
  });
});

describe('a move whose other node died after TRANSFER', () => {
  /** The target owns, and from then on nothing passes between the two. */
  const partition = () => {
    const move = pair();
    move.dropWhen((message) => message.kind !== 'transfer');
    move.runSource(0, move.source.provenAtTarget(0, PATH_ID, true));
    expect(move.target.stateName).toBe('limited');
    return move;
  };

  it('lets the target go on at control’s word, but not where a living source might be', () => {
    const move = partition();
    move.runTarget(REPORT_FOR_SOURCE_MS, move.target.tick(REPORT_FOR_SOURCE_MS));
    move.runTarget(5_000, move.target.release(5_000, DECIDED_EPOCH) ?? []);
    expect(move.reports).toContainEqual({ kind: 'liftCeiling', skip: GRANT_INDICES });
    expect(move.log.filter((entry) => entry === 'target:reportCompleted')).toHaveLength(1);
    expect(move.target.release(5_001, DECIDED_EPOCH)).toEqual([{ kind: 'ownAs', epoch: DECIDED_EPOCH }]);
  });

  it('keeps a source that lives on, unheard by both, inside its own grant for ever', () => {
    const move = partition();
    move.runSource(TAKE_BACK_SILENCE_MS, move.source.tick(TAKE_BACK_SILENCE_MS, 0, 0));
    expect(move.log).toContain('source:takeBack');
    move.runTarget(5_000, move.target.release(5_000, DECIDED_EPOCH) ?? []);
    for (let now = 5_000; now < 60_000; now += 1_000) move.runSource(now, move.source.tick(now, 0, 0));
    expect(move.source.isLimited).toBe(true);
    expect(move.log).not.toContain('source:done');
    // The two hear each other again: control's word stands.
    move.dropWhen(() => false);
    move.runSource(60_000, move.source.tick(60_000, 0, 0));
    expect(move.log).not.toContain('target:yield');
    expect(move.source.isLimited).toBe(true);
  });

  it('keeps a source that took the transport back inside its grant though control is heard, and asks control', () => {
    const move = partition();
    const back = TAKE_BACK_SILENCE_MS;
    move.runSource(back, move.source.tick(back, 0, 0));
    for (let now = back; now <= back + 2 * LINGER_MS; now += 100) {
      move.runSource(now, move.source.tick(now, 0, now));
    }
    expect(move.source.isLimited).toBe(true);
    const asked = move.log.filter((entry) => entry === 'source:askRelease').length;
    expect(asked).toBe((2 * LINGER_MS) / RELEASE_WANTED_MS);
  });

  it('makes the target ask control for the word that its source does not give, until it has it', () => {
    const move = partition();
    for (let now = 0; now <= 5_000; now += 100) move.runTarget(now, move.target.tick(now));
    expect(move.log.filter((entry) => entry === 'target:askRelease')).toHaveLength(5);
    move.runTarget(5_000, move.target.release(5_000, MOVE.epoch) ?? []);
    // The source itself let go: there is no other range to leave out.
    expect(move.reports).toContainEqual({ kind: 'liftCeiling', skip: 0 });
    for (let now = 5_000; now <= 9_000; now += 100) move.runTarget(now, move.target.tick(now));
    expect(move.log.filter((entry) => entry === 'target:askRelease')).toHaveLength(5);
  });

  it('lets control carry ACCEPTED past a broken link: the source hands off and drops its keys', () => {
    const move = partition();
    expect(move.source.stateName).toBe('transferring');
    move.runSource(900, move.source.acceptedByControl(900) ?? []);
    expect(move.log).toContain('source:handOff');
    expect(move.source.acceptedByControl(901)).toEqual([]);
  });

  it('lets control carry ABORT past a broken link: the target yields, but never after it was set free', () => {
    const move = partition();
    const freed = partition();
    move.runTarget(900, move.target.abortedByControl(900, MOVE.returnEpoch) ?? []);
    expect(move.log).toContain('target:yield');
    freed.runTarget(900, freed.target.release(900, DECIDED_EPOCH) ?? []);
    expect(freed.target.abortedByControl(901, MOVE.returnEpoch)).toBeNull();
    expect(freed.log).not.toContain('target:yield');
  });

  it('lets a source that took the transport back go on at control’s word', () => {
    const move = partition();
    move.runSource(TAKE_BACK_SILENCE_MS, move.source.tick(TAKE_BACK_SILENCE_MS, 0, 0));
    expect(move.source.release(DECIDED_EPOCH)).toEqual([
      { kind: 'ownAs', epoch: DECIDED_EPOCH },
      { kind: 'done' },
    ]);
    expect(move.source.isLimited).toBe(false);
  });

  it('gives control’s word no meaning where nobody owns by the move', () => {
    const move = pair();
    expect(move.source.release(DECIDED_EPOCH)).toBeNull();
    expect(move.target.release(0, DECIDED_EPOCH)).toBeNull();
    expect(move.source.acceptedByControl(0)).toBeNull();
  });
});

describe('giving up', () => {
  it('costs nothing before the proof', () => {
    const move = pair();
    move.runTarget(10, move.target.nominated());
    move.runSource(20, move.source.cancel(20, false) ?? []);
    expect(move.log).toEqual([
      'target>pathNominated',
      'source:usePaths=both',
      'source:usePaths=own',
      'source>abort',
      'target>forgotten',
      'source:done',
      'target:forget',
      'source:reportEnded',
    ]);
    expect(move.source.stateName).toBe('done');
  });

  it('reaches the client by both nodes when the path had changed already', () => {
    const move = pair({ rehearsal: true });
    move.runSource(20, move.source.provenAtTarget(20, PATH_ID, true));
    const outputs = move.source.cancel(30, false) ?? [];
    expect(outputs.slice(0, 2)).toEqual([{ kind: 'usePaths', paths: 'both' }, { kind: 'watchOwnPath' }]);
  });

  it('ends a rehearsal with the path back at the source and no state sent', () => {
    const move = pair({ rehearsal: true });
    move.runTarget(10, move.target.nominated());
    move.runSource(20, move.source.provenAtTarget(20, PATH_ID, true));
    expect(move.source.returnPath()).toBe(true);
    // A client that was told by an ICE restart has closed its address at the target when it nominates one here.
    const nominated = move.source.nominatedHere();
    expect(nominated).toEqual([{ kind: 'usePaths', paths: 'both' }, { kind: 'watchOwnPath' }]);
    move.runSource(30, nominated);
    move.runSource(40, move.source.provenHere(40));
    expect(move.log).not.toContain('source:freeze');
    expect(move.reports).toContainEqual(
      expect.objectContaining({ kind: 'reportEnded', outcome: 'rehearsed' }),
    );
  });

  it('reports the epoch that the source really has, and tells it to the target', () => {
    const move = pair();
    move.dropWhen(() => true);
    const outputs = move.source.cancel(20, false) ?? [];
    expect(outputs).toContainEqual(
      expect.objectContaining({ kind: 'reportEnded', owner: 'source', epoch: MOVE.currentEpoch }),
    );
    const abort: unknown = expect.objectContaining({ kind: 'abort', ownerEpoch: MOVE.currentEpoch });
    expect(outputs).toContainEqual({ kind: 'send', message: abort });
  });

  it.each([false, true])(
    'is what a source does when nobody ends its move (rehearsal: %s): the next one must find it free',
    (rehearsal) => {
      const move = pair({ rehearsal });
      move.runTarget(10, move.target.nominated());
      if (rehearsal) move.runSource(20, move.source.provenAtTarget(20, PATH_ID, true));
      move.tick(SOURCE_PATIENCE_MS - 1, 0, 0);
      expect(move.source.ownerElsewhereOnPath).toBe(true);
      move.tick(SOURCE_PATIENCE_MS, 0, 0);
      expect(move.source.ownerElsewhereOnPath).toBe(false);
      expect(move.reports).toContainEqual(
        expect.objectContaining({ kind: 'reportEnded', outcome: 'failed', owner: 'source' }),
      );
    },
  );

  it('sends a rehearsal home as often as it is asked to', () => {
    const move = pair({ rehearsal: true });
    expect(move.source.returnPath()).toBe(false);
    move.runSource(20, move.source.provenAtTarget(20, PATH_ID, true));
    expect([move.source.returnPath(), move.source.returnPath()]).toEqual([true, true]);
  });

  it('is what a prepared target does when it hears nothing of its source', () => {
    const move = pair();
    move.runTarget(PREPARED_TTL_MS, move.target.tick(PREPARED_TTL_MS));
    expect(move.log).toEqual(['target:reportFailed', 'target:forget']);
  });

  it('is refused by a target that owns the transport', () => {
    const move = pair();
    move.runSource(0, move.source.provenAtTarget(0, PATH_ID, true));
    expect(move.target.cancel(10)).toBeNull();
  });
});
