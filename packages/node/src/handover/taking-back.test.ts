import { describe, expect, it } from 'vitest';
import { GRANT_INDICES, TAKE_BACK_SILENCE_MS } from '../limits.js';
import { MOVE, pair, PATH_ID } from '../testing/move-pair.js';

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
