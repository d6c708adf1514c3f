import type { IceCredentials } from '@godwit/protocol';
import { parseAnswer } from '@godwit/rtp';
import type { ControlContext } from '../context.js';
import { deferred, within } from '../deadline.js';
import { ClientError } from '../errors.js';
import { newId64 } from '../ids.js';
import { restartOfferSdp } from '../negotiation/describe.js';
import { addressKey, type ConnectionState, type TransportState } from '../roster/state.js';
import { candidatesOfRestart, type Hop } from './describe.js';
import { saveDescription } from './persist.js';

/** A new ICE generation: credentials of ours, and where they are good. */
export interface RestartTerms {
  readonly moveId?: string;
  readonly ice: IceCredentials;
  readonly hop: Hop;
}

/**
 * Offers the client an ICE restart and waits for its answer; the connection's lock must be held. The transport's
 * description is the new generation's from the offer on. Null when no usable answer came in time.
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
  if (connection.pendingRestart?.restartId === restartId) connection.pendingRestart = null;
  if (sdp === null) return null;
  const parsed = parseAnswer(sdp);
  // Whatever else it says is as agreed before: only the credentials are new.
  if (
    !parsed.ok ||
    parsed.answer.fingerprint.value.toLowerCase() !== description.remote.fingerprint.value.toLowerCase()
  ) {
    return null;
  }
  transport.description = {
    ...transport.description,
    remote: { ...description.remote, ice: parsed.answer.ice },
  };
  await saveDescription(context, transport);
  return parsed.answer.ice;
}

/** The client's answer to a restart offer. Throws a ClientError. */
export function handleRestartAnswer(connection: ConnectionState, restartId: string, sdp: string): void {
  if (connection.pendingRestart?.restartId !== restartId) {
    throw new ClientError('invalidParameter', 'No restart offer of that id waits for an answer.');
  }
  const parsed = parseAnswer(sdp);
  if (!parsed.ok) throw new ClientError('invalidParameter', `The answer cannot be used: ${parsed.reason}.`);
  const { answer } = connection.pendingRestart;
  // At once: the next message may be the offer that the client makes after it.
  connection.pendingRestart = null;
  answer.resolve(sdp);
}

/** Restarts ICE on the node that owns the transport: the client's path died. Throws a ClientError. */
export async function restartAtOwner(context: ControlContext, connection: ConnectionState): Promise<void> {
  const { transport } = connection;
  if (transport === null || connection.ended)
    throw new ClientError('notConnected', 'There is no transport to restart.');
  const node = context.nodes.session(transport.ownerNodeId);
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
    throw new ClientError('mediaUnavailable', 'The media node did not restart ICE.');
  }
}
