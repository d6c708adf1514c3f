import {
  decodePortableTransport,
  openState,
  type PortableTransport,
  type SealKeyPair,
  type StateRefusal,
} from '@godwit/transport';
import type { NodeResult } from '@godwit/protocol';
import { GRANT_INDICES, LINGER_MS } from '../limits.js';
import type { NodeContext } from '../node-context.js';
import { NO_MEDIA } from '../transport/remove-transport.js';
import { zeroKeys } from '../transport/zero-keys.js';
import type { TransportHost } from '../transport/transport-host.js';
import { encodeHandoverMessage } from './messages.js';
import { ingressStreams, ownAs } from './source-effects.js';
import type { TargetMove, TargetMoveOutput } from './target-move.js';

export interface TargetEntry {
  readonly move: TargetMove;
  /** What control was answered, or will be. */
  readonly answer: NodeResult<'prepareMove'>;
  /** Null once the state is open or refused. */
  sealKeys: SealKeyPair | null;
}

/** Carries out what the target's half of a move decides. */
export function runTarget(
  context: NodeContext,
  entry: TargetEntry,
  outputs: readonly TargetMoveOutput[],
): void {
  for (const output of outputs) apply(context, entry, output);
}

function apply(context: NodeContext, entry: TargetEntry, output: TargetMoveOutput): void {
  const { moveId, transportId, epoch, sourceNodeId } = entry.move.options;
  const host = context.transports.get(transportId);
  switch (output.kind) {
    case 'send':
      context.datapath.sendLinkMessage(sourceNodeId, encodeHandoverMessage(output.message));
      return;
    case 'pathProven':
      if (host !== undefined) provePath(context, host, output.pathId);
      return;
    case 'thaw':
      thaw(context, entry, output.sealed);
      return;
    case 'liftCeiling':
      if (host?.role.name === 'owner') context.datapath.liftCeiling(transportId, output.skip);
      return;
    case 'ownAs':
      if (host?.role.name === 'owner') ownAs(context, host, output.epoch);
      return;
    case 'askRelease':
      context.report({
        event: 'releaseWanted',
        moveId,
        transportId,
        role: 'target',
        epoch,
        peerNodeId: sourceNodeId,
      });
      return;
    case 'yield':
      if (host !== undefined) yieldTransport(context, entry, host, output.ownerEpoch);
      return;
    case 'reportCompleted':
      context.report({
        event: 'moveEnded',
        moveId,
        transportId,
        outcome: 'completed',
        ownerNodeId: context.nodeId(),
        epoch,
        measures: {},
      });
      return;
    case 'reportFailed':
      context.report({
        event: 'moveEnded',
        moveId,
        transportId,
        outcome: 'failed',
        ownerNodeId: sourceNodeId,
        ...(output.epoch === null ? {} : { epoch: output.epoch }),
        failure: output.failure,
        measures: {},
      });
      return;
    case 'forget':
      forgetSealKeys(entry);
      if (host?.role.name === 'target' && host.role.epoch === epoch) fade(context, entry, host);
      return;
    case 'done':
      return;
  }
}

/** The owner has authenticated media from one of our addresses of the client: not necessarily from the last selected. */
function provePath(context: NodeContext, host: TransportHost, pathId: number): void {
  const pair = context.datapath.boundRemote(host.transportId, pathId);
  if (pair === null) return;
  host.prove(pair);
  host.setPaths(host.ownPaths());
}

/** All or nothing: on any failure the source takes the transport back, and we forget it. */
function thaw(context: NodeContext, entry: TargetEntry, sealed: Buffer): void {
  const { transportId, epoch, sourceNodeId } = entry.move.options;
  const nowMs = context.clockMs();
  const host = context.transports.get(transportId);
  const opened = host === undefined ? 'transportGone' : open(entry, sealed);
  forgetSealKeys(entry);
  if (host === undefined || typeof opened === 'string' || !goOn(context, host, opened, entry)) {
    const reason = typeof opened === 'string' ? opened : 'impossible';
    context.log.error({ transportId, epoch, sourceNodeId, reason }, 'a transferred state was refused');
    runTarget(context, entry, entry.move.thawFailed(nowMs));
    return;
  }
  runTarget(context, entry, entry.move.thawed(nowMs));
}

/** The state, or why it is none that we take. */
function open(entry: TargetEntry, sealed: Buffer): PortableTransport | StateRefusal | 'notSealedForUs' {
  const { moveId, transportId, epoch } = entry.move.options;
  const plain =
    entry.sealKeys === null ? null : openState(sealed, entry.sealKeys, { moveId, transportId, epoch });
  if (plain === null) return 'notSealedForUs';
  const decoded = decodePortableTransport(plain);
  plain.fill(0);
  if (!decoded.ok) return decoded.reason;
  if (decoded.state.transportId === transportId && decoded.state.epoch === epoch) return decoded.state;
  zeroKeys(decoded.state.media.keys);
  return 'invalidHeader';
}

function goOn(
  context: NodeContext,
  host: TransportHost,
  state: PortableTransport,
  entry: TargetEntry,
): boolean {
  const { transportId, epoch, sourceNodeId } = entry.move.options;
  const nowMs = context.clockMs();
  const formerIngress = context.streams.ingressOf(ingressStreams(host));
  // Held packets are taken inside thaw and relayed at once, so the streams turn round first.
  context.streams.moveIngress(nowMs, ingressStreams(host), context.nodeId(), epoch);
  host.setPaths(host.ownPaths());
  try {
    context.datapath.thaw(transportId, state.media, { count: GRANT_INDICES });
  } catch (error) {
    context.log.error({ error: String(error), transportId }, 'the datapath refused a state');
    context.streams.restoreIngress(nowMs, formerIngress);
    return false;
  } finally {
    zeroKeys(state.media.keys);
  }
  host.ice.adopt(nowMs, state.ice);
  const oneWayMs = (context.links.roundTripMs(sourceNodeId) ?? 0) / 2;
  if (state.feedback !== null) context.router.thaw(transportId, nowMs, state.feedback, oneWayMs * 1_000);
  else context.router.activate(transportId);
  host.role = { name: 'owner', epoch };
  host.connected = true;
  host.watchPair();
  return true;
}

/** The source owns again, but the client's path is here: relay for it. */
function yieldTransport(
  context: NodeContext,
  entry: TargetEntry,
  host: TransportHost,
  ownerEpoch: number,
): void {
  const { transportId, epoch, sourceNodeId } = entry.move.options;
  const nowMs = context.clockMs();
  context.datapath.dropKeys(transportId);
  context.datapath.setInbound(transportId, { kind: 'forward', linkId: sourceNodeId });
  context.datapath.setMedia(transportId, NO_MEDIA);
  context.router.removeTransport(transportId);
  context.streams.moveIngress(nowMs, ingressStreams(host), sourceNodeId, ownerEpoch);
  host.role = {
    name: 'relay',
    epoch,
    ownerNodeId: sourceNodeId,
    answersChecks: true,
    untilMs: nowMs + LINGER_MS,
  };
}

/**
 * A move given up: what the client still sends here reaches the owner, but its checks stay unanswered, so that it
 * falls back to the owner's address without losing a packet.
 */
function fade(context: NodeContext, entry: TargetEntry, host: TransportHost): void {
  const { transportId, epoch, sourceNodeId } = entry.move.options;
  const nowMs = context.clockMs();
  // What the source had sent us since its freeze waits for nobody any more here.
  context.datapath.setInbound(transportId, { kind: 'forward', linkId: sourceNodeId, returning: true });
  context.datapath.setMedia(transportId, NO_MEDIA);
  context.router.removeTransport(transportId);
  host.role = {
    name: 'relay',
    epoch,
    ownerNodeId: sourceNodeId,
    answersChecks: false,
    untilMs: nowMs + LINGER_MS,
  };
}

function forgetSealKeys(entry: TargetEntry): void {
  entry.sealKeys?.destroy();
  entry.sealKeys = null;
}
