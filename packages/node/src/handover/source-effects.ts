import { encodePortableTransport, sealState, type PortableTransport } from '@godwit/transport';
import type { FrozenMedia, Path } from '@godwit/datapath';
import type { FrozenTransportCc } from '@godwit/sfu';
import { LINGER_MS } from '../limits.js';
import type { NodeContext } from '../node-context.js';
import { NO_MEDIA, removeTransport } from '../transport/remove-transport.js';
import { zeroKeys } from '../transport/zero-keys.js';
import type { TransportHost } from '../transport/transport-host.js';
import { encodeHandoverMessage } from './messages.js';
import type { SourceMove } from './source-move.js';
import type { SourceMoveOutput } from './source-move-values.js';

export interface SourceEntry {
  readonly move: SourceMove;
  /** X25519 public key of this move, raw. */
  readonly sealKey: Buffer;
  readonly stateSchema: number;
  frozen: { readonly feedback: FrozenTransportCc | null; readonly atMs: number } | null;
  tookBack: boolean;
}

/** Carries out what the source's half of a move decides. */
export function runSource(
  context: NodeContext,
  entry: SourceEntry,
  outputs: readonly SourceMoveOutput[],
): void {
  const { transportId } = entry.move.options;
  for (const output of outputs) {
    const host = context.transports.get(transportId);
    if (host === undefined) return;
    apply(context, entry, host, output);
  }
}

function apply(
  context: NodeContext,
  entry: SourceEntry,
  host: TransportHost,
  output: SourceMoveOutput,
): void {
  const { datapath } = context;
  const { moveId, transportId, targetNodeId } = entry.move.options;
  switch (output.kind) {
    case 'usePaths':
      usePaths(host, entry.move, output.paths);
      return;
    case 'watchTargetPath':
      datapath.watchProof(transportId, { kind: 'link', linkId: targetNodeId });
      return;
    case 'watchOwnPath':
      if (host.pair !== null) datapath.watchProof(transportId, { kind: 'socket', ...host.pair });
      return;
    case 'freeze':
      freeze(context, entry, host);
      return;
    case 'send':
      datapath.sendLinkMessage(targetNodeId, encodeHandoverMessage(output.message));
      return;
    case 'handOff':
      handOff(context, entry, host);
      return;
    case 'takeBack':
      takeBack(context, entry, host, output);
      return;
    case 'ownAs':
      ownAs(context, host, output.epoch);
      return;
    case 'askRelease':
      askRelease(context, entry.move);
      return;
    case 'askAnswer':
      context.report({ event: 'answerWanted', moveId, transportId });
      return;
    case 'reportProven':
      context.report({ event: 'moveProven', moveId, transportId, measures: output.measures });
      return;
    case 'reportPathReturned':
      context.report({ event: 'pathReturned', moveId, transportId });
      return;
    case 'reportEnded':
      context.report({
        event: 'moveEnded',
        moveId,
        transportId,
        outcome: output.outcome,
        ownerNodeId: output.owner === 'target' ? targetNodeId : context.nodeId(),
        epoch: output.epoch,
        ...(output.failure === undefined ? {} : { failure: output.failure }),
        measures: output.measures,
      });
      return;
    case 'done':
      finish(context, entry, host);
      return;
  }
}

function askRelease(context: NodeContext, { options }: SourceMove): void {
  const { moveId, transportId, returnEpoch: epoch, targetNodeId: peerNodeId } = options;
  context.report({ event: 'releaseWanted', moveId, transportId, role: 'source', epoch, peerNodeId });
}

function usePaths(host: TransportHost, move: SourceMove, paths: 'own' | 'both' | 'target'): void {
  const { provenPathId, options } = move;
  const target: Path = {
    kind: 'link',
    linkId: options.targetNodeId,
    ...(provenPathId === null ? {} : { provenPathId }),
  };
  switch (paths) {
    case 'own':
      host.setPaths(host.ownPaths());
      return;
    case 'both':
      host.setPaths([...host.ownPaths(), target]);
      return;
    case 'target':
      host.setPaths([target]);
      return;
  }
}

/** Freeze, seal, forget the plain copy; all in one turn, so that no packet comes between. */
function freeze(context: NodeContext, entry: SourceEntry, host: TransportHost): void {
  const { move } = entry;
  const nowMs = context.clockMs();
  const media = context.datapath.freeze(host.transportId);
  const feedback = context.router.freeze(host.transportId, nowMs);
  entry.frozen = { feedback, atMs: nowMs };
  context.streams.expectIngress(ingressStreams(host), move.options.targetNodeId, move.options.epoch);
  try {
    const sealed = seal(entry, host, nowMs, media, feedback);
    runSource(context, entry, move.frozen(nowMs, sealed));
    // Behind the state on the same link: the target keeps these until it has taken it.
    const linkId = move.options.targetNodeId;
    context.datapath.setInbound(host.transportId, { kind: 'forward', linkId, final: true });
  } catch (error) {
    context.log.error(
      { error: String(error), transportId: host.transportId },
      'the state could not be sealed, the transport stays',
    );
    runSource(context, entry, move.freezeFailed(nowMs));
  } finally {
    zeroKeys(media.keys);
  }
}

function seal(
  entry: SourceEntry,
  host: TransportHost,
  nowMs: number,
  media: FrozenMedia,
  feedback: FrozenTransportCc | null,
): Buffer {
  const { moveId, transportId, epoch } = entry.move.options;
  const state: PortableTransport = {
    schema: entry.stateSchema,
    transportId,
    epoch,
    ice: host.ice.freeze(nowMs),
    media,
    feedback,
  };
  const plain = encodePortableTransport(state, entry.stateSchema);
  try {
    return sealState(plain, entry.sealKey, { moveId, transportId, epoch });
  } finally {
    plain.fill(0);
  }
}

function handOff(context: NodeContext, entry: SourceEntry, host: TransportHost): void {
  const { targetNodeId, epoch } = entry.move.options;
  const nowMs = context.clockMs();
  context.datapath.dropKeys(host.transportId);
  // Held packets leave for the new owner with this.
  context.datapath.setInbound(host.transportId, { kind: 'forward', linkId: targetNodeId });
  context.datapath.setMedia(host.transportId, NO_MEDIA);
  context.router.removeTransport(host.transportId);
  context.streams.moveIngress(nowMs, ingressStreams(host), targetNodeId, epoch);
  host.role = {
    name: 'relay',
    epoch,
    ownerNodeId: targetNodeId,
    answersChecks: true,
    untilMs: nowMs + LINGER_MS,
  };
}

function takeBack(
  context: NodeContext,
  entry: SourceEntry,
  host: TransportHost,
  { skip, count }: { skip: number; count: number },
): void {
  const nowMs = context.clockMs();
  context.datapath.unfreeze(host.transportId, skip, { count });
  const { frozen } = entry;
  if (frozen?.feedback != null) {
    context.router.thaw(host.transportId, nowMs, frozen.feedback, (nowMs - frozen.atMs) * 1_000);
  }
  entry.tookBack = true;
  ownAs(context, host, entry.move.options.returnEpoch);
}

/** We own the transport by a newer grant: what we relay says so. */
export function ownAs(context: NodeContext, host: TransportHost, epoch: number): void {
  if (host.role.name === 'owner' && host.role.epoch === epoch) return;
  host.role = { name: 'owner', epoch };
  context.streams.moveIngress(context.clockMs(), ingressStreams(host), context.nodeId(), epoch);
}

/** The target can never pass its ceiling without our RELEASE, so beyond it the indices are ours alone. */
function finish(context: NodeContext, entry: SourceEntry, host: TransportHost): void {
  const { epoch } = entry.move.options;
  if (entry.tookBack && host.role.name === 'owner') context.datapath.liftCeiling(host.transportId);
  if (host.role.name === 'relay' && host.role.epoch === epoch) removeTransport(context, host.transportId);
}

export function ingressStreams(host: TransportHost): string[] {
  return [...new Set(host.media.ingress.map(({ streamId }) => streamId))];
}
