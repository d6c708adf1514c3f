import { randomBytes } from 'node:crypto';
import type { ClientRequest, OfferResult } from '@godwit/protocol';
import { parseOffer, type OfferDescription } from '@godwit/rtp';
import type { ControlContext } from '../context.js';
import { ClientError, clientErrorCatalogue } from '../errors.js';
import { newId64, newSsrc } from '../ids.js';
import { answerSdp } from '../negotiation/describe.js';
import { negotiate, type NegotiationPorts, type NegotiationResult } from '../negotiation/negotiate.js';
import {
  emptyNegotiation,
  publishedSection,
  streamIdsOf,
  type NegotiatedState,
} from '../negotiation/state.js';
import { endsSoon, placeTransport } from '../nodes/placement.js';
import { retireTransport } from '../roster/rejoin.js';
import {
  newTransportState,
  type ConnectionState,
  type SessionState,
  type TransportState,
} from '../roster/state.js';
import { configure, refreshSubscribers } from './configure.js';
import { candidatesOfHop } from './describe.js';
import { descriptionJson, saveDescription } from './persist.js';
import { discardTransport, restoreNegotiation } from './roll-back.js';
import { nodeFor } from '../nodes/session-node.js';

type OfferRequest = Extract<ClientRequest, { type: 'offer' }>;
type Negotiated = Extract<NegotiationResult, { ok: true }>;

/** Epoch of the node on which a transport is made. */
const FIRST_EPOCH = 1;

/** Takes an offer in its turn: after a move or another negotiation that runs. Throws a ClientError. */
export function handleOffer(
  context: ControlContext,
  connection: ConnectionState,
  request: OfferRequest,
): Promise<OfferResult> {
  const parsed = parseOffer(request.sdp);
  if (!parsed.ok) throw new ClientError('invalidParameter', `The offer cannot be used: ${parsed.reason}.`);
  if (request.subscriptions.length > 0 && connection.capabilities.subscribe !== 1) {
    throw new ClientError('unableToSubscribe', `The role ${connection.role} does not allow to subscribe.`);
  }
  const { restartsSent } = connection;
  const isSuperseded = (): boolean =>
    connection.pendingRestart !== null || connection.restartsSent !== restartsSent;
  if (isSuperseded()) throw superseded();
  return connection.lock.run(async () => {
    if (connection.ended) throw new ClientError('notConnected', 'The connection has ended.');
    // The client rolled this offer back when it saw our restart offer, and makes it again.
    if (isSuperseded()) throw superseded();
    return answerOffer(context, connection, parsed.offer, request);
  });
}

function superseded(): ClientError {
  return new ClientError(
    'offerSuperseded',
    'The server has offered an ICE restart meanwhile; please offer again.',
  );
}

async function answerOffer(
  context: ControlContext,
  connection: ConnectionState,
  offer: OfferDescription,
  request: OfferRequest,
): Promise<OfferResult> {
  // Another peer connection begins with nothing: its m-lines, SSRCs and keys are new.
  const replaced = request.newTransport === true ? connection.transport : null;
  const current = replaced === null ? connection.transport : null;
  const before = current?.description.negotiated ?? null;
  checkSameEnd(current, offer);
  const result = negotiate(
    offer,
    request,
    before ?? emptyNegotiation(newSdpSessionId()),
    portsOf(connection),
  );
  if (!result.ok) throw new ClientError('invalidParameter', `The offer cannot be used: ${result.reason}.`);
  const transport = current ?? (await createTransport(context, connection, offer, result, replaced !== null));
  transport.description = { ...transport.description, negotiated: result.state };
  try {
    if (current === null) await recordTransport(context, connection, transport);
    await apply(context, connection, transport);
  } catch (error) {
    if (before === null) await discardTransport(context, connection, transport, replaced);
    else restoreNegotiation(context, connection, transport, before);
    throw error;
  }
  if (replaced !== null) await retireTransport(context, connection, replaced);
  forgetWishes(connection, before, result.state);
  refreshSubscribers(context, connection, changedPublications(before, result.state));
  return {
    sdp: answerSdp(result.state, transport.description),
    refused: result.refused.map(({ streamId, mid, entry, message }) => ({
      streamId,
      mid,
      name: clientErrorCatalogue[entry].name,
      message,
    })),
  };
}

/** Brings routes and the owner to the negotiated state, then keeps it. */
async function apply(
  context: ControlContext,
  connection: ConnectionState,
  transport: TransportState,
): Promise<void> {
  // The ingress owner must know its consumers, and a consumer its route, before the media is configured.
  const failed = await context.routes.push(connection.session);
  if (failed.has(transport.ownerNodeId) || !(await configure(context, connection))) {
    throw new ClientError('mediaUnavailable', 'The media node cannot be reached just now; please try again.');
  }
  await saveDescription(context, transport);
}

/** What a client wanted of a stream ends with its subscription: it may subscribe anew, to all of it. */
function forgetWishes(
  connection: ConnectionState,
  before: NegotiatedState | null,
  after: NegotiatedState,
): void {
  if (before === null) return;
  const subscribed = streamIdsOf(after, 'subscribe');
  for (const streamId of streamIdsOf(before, 'subscribe')) {
    if (!subscribed.has(streamId)) connection.wanted.delete(streamId);
  }
}

/** The same peer connection goes on: its certificate and its ICE credentials do not change by its own offers. */
function checkSameEnd(transport: TransportState | null, offer: OfferDescription): void {
  const remote = transport?.description.remote;
  if (remote === undefined) return;
  if (remote.fingerprint.value.toLowerCase() !== offer.fingerprint.value.toLowerCase()) {
    throw new ClientError(
      'invalidParameter',
      'The DTLS fingerprint has changed: say newTransport for another peer connection.',
    );
  }
  if (remote.ice.ufrag !== offer.ice.ufrag) {
    throw new ClientError('invalidParameter', 'ICE restarts are offered by the server: send requestRestart.');
  }
}

function portsOf(connection: ConnectionState): NegotiationPorts {
  const { streams } = connection.session;
  return {
    mayPublish: (streamId) =>
      connection.capabilities.publish === 1 && streams.get(streamId)?.connection === connection,
    published: (streamId, kind) => {
      const stream = streams.get(streamId);
      const publisher = stream?.connection;
      if (stream?.published !== true || publisher === connection || publisher?.transport == null) return null;
      return publishedSection(publisher.transport.description.negotiated, streamId, kind)?.codecs ?? null;
    },
    newSsrc,
  };
}

async function createTransport(
  context: ControlContext,
  connection: ConnectionState,
  offer: OfferDescription,
  { state }: Negotiated,
  isReplacement: boolean,
): Promise<TransportState> {
  const { session } = connection;
  const nodeId = placeTransport(context.nodes.list(), homeOf(context, session));
  const node = nodeId === null ? null : nodeFor(context, session, nodeId);
  if (nodeId === null || node === null)
    throw new ClientError('mediaUnavailable', 'No media node is in service.');
  const transportId = newId64();
  const localSsrc = newSsrc();
  const remote = { ice: offer.ice, fingerprint: offer.fingerprint, setup: offer.setup };
  const epoch = FIRST_EPOCH;
  const made = await node
    .command('createTransport', { transportId, sessionId: session.sessionId, epoch, remote, localSsrc })
    .catch((error: unknown) => {
      context.log.warn({ nodeId, error: String(error) }, 'node did not make a transport');
      throw new ClientError(
        'mediaUnavailable',
        'The media node cannot take the connection just now; please try again.',
      );
    });
  const candidates = [...(candidatesOfHop(made.addresses, 0)?.candidates ?? [])];
  const { ice, fingerprint } = made;
  const description = {
    localSsrc,
    generation: 0,
    ice,
    fingerprint,
    remote,
    isReplacement,
    candidates,
    hops: 0,
    negotiated: state,
  };
  const transport = newTransportState({
    transportId,
    ownerNodeId: nodeId,
    epoch,
    isConnected: false,
    claimed: true,
    description,
  });
  if (connection.ended) {
    void node
      .command('closeTransport', { transportId, epoch, reason: 'clientDisconnected' })
      .catch(() => undefined);
    throw new ClientError('notConnected', 'The connection has ended.');
  }
  context.roster.forgetTransport(connection);
  connection.transport = transport;
  context.roster.indexTransport(connection);
  context.log.info({ transportId, connectionId: connection.connectionId, nodeId }, 'transport created');
  return transport;
}

async function recordTransport(
  context: ControlContext,
  connection: ConnectionState,
  transport: TransportState,
): Promise<void> {
  const { session } = connection;
  await context.storage.transports.create({
    transportId: transport.transportId,
    sessionId: session.sessionId,
    connectionId: connection.connectionId,
    ownerNodeId: transport.ownerNodeId,
    epoch: transport.epoch,
    epochHighest: transport.epoch,
    intent: null,
    lastIntent: null,
    connected: transport.isConnected,
    negotiated: descriptionJson(transport),
    createdAtMs: context.clockMs(),
    endedAtMs: null,
  });
  if (homeOf(context, session) !== null) return;
  session.record = { ...session.record, homeNodeId: transport.ownerNodeId };
  await context.storage.sessions.setHomeNode(session.sessionId, transport.ownerNodeId);
}

/**
 * Where the session's people meet. A home that is out of service brings nobody together any more, nor does one that
 * nobody of the session is at and that ends soon: those who come now meet elsewhere.
 */
function homeOf(context: ControlContext, { record, connections }: SessionState): string | null {
  const home = record.homeNodeId === null ? null : context.nodes.get(record.homeNodeId);
  if (home === null || !home.inService) return null;
  if (!endsSoon(home)) return home.nodeId;
  const isThere = [...connections.values()].some(({ transport }) => transport?.ownerNodeId === home.nodeId);
  return isThere ? home.nodeId : null;
}

/** Streams whose published codecs or numbers differ: their subscribers' rules follow. */
function changedPublications(before: NegotiatedState | null, after: NegotiatedState): Set<string> {
  const signature = (state: NegotiatedState | null, streamId: string): string =>
    JSON.stringify(
      (state?.sections ?? [])
        .filter(({ use }) => use.type === 'publish' && use.streamId === streamId)
        .map(({ kind, codecs, extensions }) => ({ kind, codecs, extensions })),
    );
  const streamIds = new Set([
    ...streamIdsOf(after, 'publish'),
    ...(before === null ? [] : streamIdsOf(before, 'publish')),
  ]);
  return new Set(
    [...streamIds].filter((streamId) => signature(before, streamId) !== signature(after, streamId)),
  );
}

/** 62 random bits as decimal digits (RFC 9429 5.2.1). */
function newSdpSessionId(): string {
  return (randomBytes(8).readBigUInt64BE() >> 2n).toString();
}
