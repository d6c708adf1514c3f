import { randomBytes } from 'node:crypto';
import type { IceCredentials, NodeCommand, NodeResult, PoolAddress } from '@godwit/protocol';
import {
  chooseFreshAddresses,
  createIceCredentials,
  createSealKeyPair,
  IceLiteAgent,
} from '@godwit/transport';
import { NodeError } from '../errors.js';
import type { MoveTable } from '../handover/move-table.js';
import { runTarget, type TargetEntry } from '../handover/target-effects.js';
import { TargetMove } from '../handover/target-move.js';
import {
  CACHE_SPAN_BEFORE_MOVE_MS,
  RELAY_QUIET_MS,
  RELAY_READY_TIMEOUT_MS,
  TICK_INTERVAL_MS,
} from '../limits.js';
import type { NodeContext } from '../node-context.js';
import { TransportHost } from '../transport/transport-host.js';

type PrepareMove = Extract<NodeCommand, { type: 'prepareMove' }>;

/**
 * Makes this node ready to take a transport over: rules and credentials, never keys. Answers when the relays have
 * filled the caches from which NACKs will be served (HANDOVER 2.2).
 */
export async function prepareMove(
  context: NodeContext,
  moves: MoveTable,
  command: PrepareMove,
): Promise<NodeResult<'prepareMove'>> {
  const repeated = moves.target(command.moveId);
  if (repeated !== undefined) {
    await relaysReady(context, repeated, command);
    return repeated.answer;
  }
  refuseOwner(context, command);
  if (!context.links.has(command.sourceNodeId))
    throw new NodeError('unknown-node', 'there is no link to the source');
  const addresses = freshAddresses(context, command);
  const restartIce = command.method === 'restart' ? createIceCredentials(randomBytes) : null;
  giveUpFormer(context, moves, command.transportId);
  const entry = addEntry(context, moves, command, {
    addresses,
    ...(restartIce === null ? {} : { restartIce }),
  });
  install(context, command, restartIce);
  await relaysReady(context, entry, command);
  return entry.answer;
}

function refuseOwner(context: NodeContext, { transportId, epoch }: PrepareMove): void {
  const role = context.transports.get(transportId)?.role;
  if (role?.name === 'owner') throw new NodeError('busy', `transport ${transportId} is owned by this node`);
  if (role !== undefined && role.epoch >= epoch) {
    throw new NodeError('moved', `transport ${transportId} has epoch ${role.epoch} here`);
  }
}

function freshAddresses(context: NodeContext, { method, usedAddresses }: PrepareMove): PoolAddress[] {
  const used = method === 'restart' ? [] : usedAddresses;
  const addresses = chooseFreshAddresses(context.pool.addresses, used);
  if (addresses.length === 0) {
    throw new NodeError('no-fresh-address', 'the client has seen every address of this node');
  }
  return addresses;
}

/** A newer move of the same transport ends one that was only prepared. */
function giveUpFormer(context: NodeContext, moves: MoveTable, transportId: string): void {
  const former = moves.targetOf(transportId);
  if (former === undefined) return;
  const outputs = former.move.cancel(context.clockMs());
  if (outputs !== null) runTarget(context, former, outputs);
}

function addEntry(
  context: NodeContext,
  moves: MoveTable,
  { moveId, transportId, epoch, sourceNodeId }: PrepareMove,
  answer: Omit<NodeResult<'prepareMove'>, 'sealKey'>,
): TargetEntry {
  const sealKeys = createSealKeyPair();
  const move = new TargetMove(context.clockMs(), { moveId, transportId, epoch, sourceNodeId });
  const sealKey = sealKeys.publicKey.toString('base64');
  const entry: TargetEntry = { move, sealKeys, answer: { ...answer, sealKey } };
  moves.addTarget(moveId, entry);
  return entry;
}

function install(context: NodeContext, command: PrepareMove, restartIce: IceCredentials | null): void {
  const { transportId, media } = command;
  const nowMs = context.clockMs();
  const own = context.nodeId();
  context.streams.setRoutes(
    nowMs,
    // The streams that the transport itself sends come here with it, whether anybody here receives them or not.
    command.streams.map((route) => ({
      ...route,
      consumerNodeIds: [...new Set([...route.consumerNodeIds, own])],
    })),
  );
  const ice = new IceLiteAgent(nowMs, { local: command.ice, remote: command.remoteIce });
  if (restartIce !== null) ice.restart(restartIce);
  const host = new TransportHost(context.datapath, {
    transportId,
    sessionId: command.sessionId,
    localSsrc: command.localSsrc,
    media,
    role: { name: 'target', epoch: command.epoch, sourceNodeId: command.sourceNodeId },
    ice,
    dtls: null,
  });
  if (!context.datapath.hasTransport(transportId)) context.datapath.addTransport(transportId);
  context.datapath.addMovePeer(transportId, command.sourceNodeId);
  context.datapath.setInbound(transportId, { kind: 'forward', linkId: command.sourceNodeId });
  context.datapath.setMedia(transportId, media);
  context.router.removeTransport(transportId);
  context.router.setTransport(transportId, command.localSsrc, media);
  context.transports.set(host);
}

async function relaysReady(context: NodeContext, entry: TargetEntry, command: PrepareMove): Promise<void> {
  const startedMs = context.clockMs();
  for (;;) {
    if (entry.move.stateName !== 'prepared')
      throw new NodeError('unknown-move', 'the move was given up meanwhile');
    const waitedMs = context.clockMs() - startedMs;
    if (command.media.egress.every((rule) => isCached(context, rule, waitedMs))) return;
    if (waitedMs > RELAY_READY_TIMEOUT_MS) {
      const outputs = entry.move.cancel(context.clockMs());
      if (outputs !== null) runTarget(context, entry, outputs);
      throw new NodeError(
        'relays-not-ready',
        'the streams that this transport receives have not reached this node',
      );
    }
    await new Promise((resolve) => setTimeout(resolve, TICK_INTERVAL_MS));
  }
}

/** Long enough cached; or nothing comes at all, as of a muted stream, and nothing can be missed. */
function isCached(
  context: NodeContext,
  stream: { streamId: string; encodingId: number; enabled: boolean },
  waitedMs: number,
): boolean {
  if (!stream.enabled || context.streams.relayedFrom(stream.streamId) === null) return true;
  const status = context.datapath.streamStatus(stream);
  if (status === null) return false;
  if (status.cachedSpanMs >= CACHE_SPAN_BEFORE_MOVE_MS) return true;
  const quietMs = status.lastFedAtMs === null ? waitedMs : context.clockMs() - status.lastFedAtMs;
  return waitedMs >= RELAY_QUIET_MS && quietMs >= RELAY_QUIET_MS;
}
