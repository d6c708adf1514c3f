import type { HandoverMessage } from '../handover/messages.js';
import { SourceMove } from '../handover/source-move.js';
import type { SourceMoveOutput } from '../handover/source-move-values.js';
import { TargetMove, type TargetMoveOutput } from '../handover/target-move.js';

/** One move, as both nodes know it. */
export const MOVE = {
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
export const DECIDED_EPOCH = 9;

/** The target's name for the client's address. */
export const PATH_ID = 3;

/** Source and target with a link that delivers what a test lets through; outputs are kept in order. */
export function pair(options: { rehearsal?: boolean; stateBytes?: number; thawFails?: boolean } = {}) {
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
