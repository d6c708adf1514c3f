import { describe, expect, it } from 'vitest';
import {
  DUPLICATE_PATHS_MS,
  LINGER_MS,
  REPORT_FOR_SOURCE_MS,
  SETTLE_MS,
  TRANSFER_FRAGMENT_BYTES,
  TRANSFER_REPEAT_MS,
} from '../limits.js';
import { pair, PATH_ID } from '../testing/move-pair.js';
import type { HandoverMessage } from './messages.js';

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
