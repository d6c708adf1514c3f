import { describe, expect, it } from 'vitest';
import { PREPARED_TTL_MS, SOURCE_PATIENCE_MS } from '../limits.js';
import { MOVE, pair, PATH_ID } from '../testing/move-pair.js';

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
