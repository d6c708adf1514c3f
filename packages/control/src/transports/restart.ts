import type { IceCredentials, RemoteParameters } from '@godwit/protocol';
import { parseAnswer } from '@godwit/rtp';
import type { ControlContext } from '../context.js';
import { deferred, within } from '../deadline.js';
import { ClientError } from '../errors.js';
import { newId64 } from '../ids.js';
import { restartOfferSdp } from '../negotiation/describe.js';
import { addressKey, type ConnectionState, type TransportState } from '../roster/state.js';
import { candidatesOfRestart, type Hop } from './describe.js';
import { saveDescription } from './persist.js';
import { nodeFor } from '../nodes/session-node.js';

/** A new ICE generation: credentials of ours, and where they are good. */
export interface RestartTerms {
  readonly moveId?: string;
  readonly ice: IceCredentials;
  readonly hop: Hop;
}

/**
 * Offers the client an ICE restart and waits for its answer; the connection's lock must be held. Null when no usable
 * answer came in time: the offer is rolled back then, and an answer that comes late gets a restart of its own.
 */
export async function offerRestart(
  context: ControlContext,
  connection: ConnectionState,
  transport: TransportState,
  terms: RestartTerms,
): Promise<IceCredentials | null> {
  const restartId = newId64();
  const answer = deferred<string>();
  connection.pendingRestart = { restartId, answer };
  connection.restartsSent += 1;
  connection.lapsedRestartId = null;
  const { description } = transport;
  const negotiated = { ...description.negotiated, version: description.negotiated.version + 1 };
  const { ice, hop, moveId } = terms;
  transport.description = { ...description, negotiated, ice, candidates: [...hop.candidates], hops: hop.hop };
  connection.channel.push({
    event: 'restartOffer',
    restartId,
    ...(moveId === undefined ? {} : { moveId }),
    sdp: restartOfferSdp(negotiated, transport.description),
  });
  const sdp = await within(answer.promise, context.timings.restartAnswerMs, null).catch(() => null);
  if (connection.pendingRestart?.restartId === restartId) {
    connection.pendingRestart = null;
    connection.lapsedRestartId = restartId;
  }
  const remoteIce = sdp === null ? null : credentialsOf(sdp, description.remote);
  // The client stays where it was, and its next description says so. Versions and priorities only grow.
  transport.description =
    remoteIce === null
      ? { ...description, negotiated, hops: Math.max(description.hops, hop.hop) }
      : { ...transport.description, remote: { ...description.remote, ice: remoteIce } };
  await saveDescription(context, transport);
  return remoteIce;
}

/** Whatever else an answer to a restart says is as agreed before: only the credentials are new. */
function credentialsOf(sdp: string, { fingerprint }: RemoteParameters): IceCredentials | null {
  const parsed = parseAnswer(sdp);
  if (!parsed.ok) return null;
  const isSameEnd = parsed.answer.fingerprint.value.toLowerCase() === fingerprint.value.toLowerCase();
  return isSameEnd ? parsed.answer.ice : null;
}

/** The client's answer to a restart offer. Throws a ClientError. */
export function handleRestartAnswer(
  context: ControlContext,
  connection: ConnectionState,
  restartId: string,
  sdp: string,
): void {
  const parsed = parseAnswer(sdp);
  if (!parsed.ok) throw new ClientError('invalidParameter', `The answer cannot be used: ${parsed.reason}.`);
  if (connection.lapsedRestartId === restartId) {
    connection.lapsedRestartId = null;
    restartOnceMore(context, connection);
    return;
  }
  if (connection.pendingRestart?.restartId !== restartId) {
    throw new ClientError('invalidParameter', 'No restart offer of that id waits for an answer.');
  }
  const { answer } = connection.pendingRestart;
  // At once: the next message may be the offer that the client makes after it.
  connection.pendingRestart = null;
  answer.resolve(sdp);
}

/**
 * A client that answered too late has left its old path behind, for addresses that nobody keeps for it any more: it is
 * brought to the owner by another restart, unless one has been offered meanwhile.
 */
function restartOnceMore(context: ControlContext, connection: ConnectionState): void {
  const { restartsSent, connectionId } = connection;
  context.log.info({ connectionId }, 'the answer to an ICE restart came too late: restarting once more');
  connection.lock
    .run(async () => {
      if (connection.restartsSent === restartsSent) await restartAtOwner(context, connection);
    })
    // It asks by itself once its path has died.
    .catch(() => undefined);
}

/** Restarts ICE on the node that owns the transport: the client's path died. Throws a ClientError. */
export async function restartAtOwner(context: ControlContext, connection: ConnectionState): Promise<void> {
  const { transport } = connection;
  if (transport === null || connection.ended)
    throw new ClientError('notConnected', 'There is no transport to restart.');
  const node = nodeFor(context, connection.session, transport.ownerNodeId);
  if (node === null) throw new ClientError('mediaUnavailable', 'The media node cannot be reached just now.');
  const { transportId, epoch } = transport;
  const usedAddresses = transport.description.candidates.map(addressKey);
  try {
    const { ice, addresses } = await node.command('restartIce', { transportId, epoch, usedAddresses });
    const hop = candidatesOfRestart(addresses, transport.description.hops);
    const remoteIce = hop === null ? null : await offerRestart(context, connection, transport, { ice, hop });
    if (remoteIce === null) {
      context.log.warn({ transportId }, 'the client did not answer an ICE restart');
      return;
    }
    await node.command('setRemoteIce', { transportId, epoch, ice: remoteIce });
    context.log.info({ transportId, nodeId: transport.ownerNodeId }, 'ICE restarted');
  } catch (error) {
    context.log.warn({ transportId, error: String(error) }, 'ICE restart failed');
    const refused = new ClientError('mediaUnavailable', 'The media node did not restart ICE.');
    refused.cause = error;
    throw refused;
  }
}
