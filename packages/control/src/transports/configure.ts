import type { MediaKind, TransportMedia } from '@godwit/protocol';
import type { ControlContext } from '../context.js';
import { adoptOwner } from '../migration/adopt-owner.js';
import { latestIntent, type Ownership } from '../migration/granted-owner.js';
import { egressRules, ingressRules } from '../negotiation/media.js';
import { publishedSection } from '../negotiation/state.js';
import { NodeCommandError } from '../nodes/node-session.js';
import { nodeFor } from '../nodes/session-node.js';
import { feedIdOf } from '../roster/feeds.js';
import { publishReady, streamsOf } from '../roster/streams.js';
import type { ConnectionState, SessionState, TransportState } from '../roster/state.js';

/** What a node needs to know of the connection's media at this moment. */
export function mediaOf(connection: ConnectionState, transport: TransportState): TransportMedia {
  const { negotiated, generation } = transport.description;
  const { streams } = connection.session;
  const section = (streamId: string, kind: MediaKind): ReturnType<typeof publishedSection> => {
    const publisher = streams.get(streamId)?.connection.transport;
    return publisher === null || publisher === undefined
      ? null
      : publishedSection(publisher.description.negotiated, streamId, kind);
  };
  const ingress = ingressRules(negotiated, (streamId) => streams.has(streamId));
  const egress = egressRules(negotiated, {
    section,
    wanted: (streamId) => connection.wanted.get(streamId) ?? { audio: true, video: true },
  });
  const asFeed = <T extends { streamId: string }>(rule: T): T => ({
    ...rule,
    streamId: feedIdOf(connection.session, rule.streamId),
  });
  return { generation, ingress: ingress.map(asFeed), egress: egress.map(asFeed) };
}

/**
 * Brings the owner to the connection's present media. Idempotent. The connection's lock must be held.
 * False when the node did not take it; it is told again when it comes back.
 */
export async function configure(context: ControlContext, connection: ConnectionState): Promise<boolean> {
  const { transport } = connection;
  if (transport === null || connection.ended) return false;
  return (await tellOwner(context, connection, transport)) === null;
}

/** True when the owner of our record says that it does not own, and nobody else is found to. As {@link configure}. */
export async function isGoneFromOwner(
  context: ControlContext,
  connection: ConnectionState,
  transport: TransportState,
): Promise<boolean> {
  const refused = await tellOwner(context, connection, transport);
  return refused === 'unknown-transport' || refused === 'moved';
}

/** Null when the owner took the present media. */
async function tellOwner(
  context: ControlContext,
  connection: ConnectionState,
  transport: TransportState,
): Promise<NodeCommandError['code'] | null> {
  transport.description = { ...transport.description, generation: transport.description.generation + 1 };
  const media = mediaOf(connection, transport);
  const refused = await configureAt(context, connection.session, transport, transport, media);
  const isTaken =
    refused === null ||
    (refused === 'moved' && (await configureElsewhere(context, connection, transport, media)));
  if (!isTaken) return refused;
  transport.media = media;
  await noteConfigured(context, connection, media);
  return null;
}

/** Null when the node took it. */
async function configureAt(
  context: ControlContext,
  session: SessionState,
  { transportId }: TransportState,
  { ownerNodeId, epoch }: Ownership,
  media: TransportMedia,
): Promise<NodeCommandError['code'] | null> {
  try {
    const node = nodeFor(context, session, ownerNodeId);
    if (node === null) throw new NodeCommandError('disconnected', `${ownerNodeId} is not connected`);
    await node.command('configureTransport', { transportId, epoch, media });
    return null;
  } catch (error) {
    context.log.warn(
      { transportId, nodeId: ownerNodeId, epoch, error: String(error) },
      'node did not take a configuration',
    );
    return error instanceof NodeCommandError ? error.code : 'internal';
  }
}

/**
 * The owner of our record owns no more: the nodes ended a move that we stopped waiting for. Its source is asked by the
 * epoch in which it may have taken the transport back; only when it says that this is not so either, it handed it over.
 */
async function configureElsewhere(
  context: ControlContext,
  connection: ConnectionState,
  transport: TransportState,
  media: TransportMedia,
): Promise<boolean> {
  const grant = latestIntent(await context.storage.transports.get(transport.transportId));
  if (grant === null) return false;
  const candidates: Ownership[] = [
    { ownerNodeId: grant.sourceNodeId, epoch: grant.returnEpoch },
    { ownerNodeId: grant.targetNodeId, epoch: grant.targetEpoch },
  ];
  for (const owner of candidates) {
    const refused = await configureAt(context, connection.session, transport, owner, media);
    if (refused === null) {
      await adoptOwner(context, transport, owner);
      await context.routes.push(connection.session);
      return true;
    }
    if (refused !== 'moved') return false;
  }
  return false;
}

async function noteConfigured(
  context: ControlContext,
  connection: ConnectionState,
  media: TransportMedia,
): Promise<void> {
  const configured = new Set(media.ingress.map((rule) => rule.streamId));
  for (const stream of streamsOf(connection))
    stream.configured = configured.has(feedIdOf(connection.session, stream.streamId));
  await publishReady(context, connection);
}

/** Brings the subscribers of some streams to what is published now, each in its own turn. */
export function refreshSubscribers(
  context: ControlContext,
  publisher: ConnectionState,
  streamIds: ReadonlySet<string>,
): void {
  for (const connection of publisher.session.connections.values()) {
    if (connection === publisher || !subscribesToAny(connection, streamIds)) continue;
    refresh(context, connection);
  }
}

/** Configures the connection again as soon as its turn comes. */
export function refresh(context: ControlContext, connection: ConnectionState): void {
  connection.lock
    .run(() => configure(context, connection))
    .catch((error: unknown) => {
      context.log.error(
        { error: String(error), connectionId: connection.connectionId },
        'configuring failed',
      );
    });
}

function subscribesToAny(connection: ConnectionState, streamIds: ReadonlySet<string>): boolean {
  const sections = connection.transport?.description.negotiated.sections ?? [];
  return sections.some(({ use }) => use.type === 'subscribe' && streamIds.has(use.streamId));
}
