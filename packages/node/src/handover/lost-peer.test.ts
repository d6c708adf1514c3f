import { describe, expect, it } from 'vitest';
import {
  GRANT_INDICES,
  LINGER_MS,
  RELEASE_WANTED_MS,
  REPORT_FOR_SOURCE_MS,
  TAKE_BACK_SILENCE_MS,
} from '../limits.js';
import { DECIDED_EPOCH, MOVE, pair, PATH_ID } from '../testing/move-pair.js';

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

  it('makes a frozen source ask control each second while control alone is heard, until it has its word', () => {
    const move = partition();
    for (let now = 100; now <= 5_000; now += 100) move.runSource(now, move.source.tick(now, 0, now));
    expect(move.source.stateName).toBe('transferring');
    expect(move.log.filter((entry) => entry === 'source:askAnswer')).toHaveLength(5);
    move.runSource(5_000, move.source.cancel(5_000, true) ?? []);
    expect(move.reports).toContainEqual({ kind: 'takeBack', skip: GRANT_INDICES, count: GRANT_INDICES });
    for (let now = 5_100; now <= 9_000; now += 100) move.runSource(now, move.source.tick(now, 0, now));
    expect(move.log.filter((entry) => entry === 'source:askAnswer')).toHaveLength(5);
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
