import type { MediaKind, StreamRoute } from '@godwit/protocol';
import { ENCODING_IDS, publishedSection, type NegotiatedSection } from '../negotiation/state.js';
import { feedIdOf } from './feeds.js';
import type { ConnectionState, SessionState, StreamState, TransportState } from './state.js';

const KINDS: readonly MediaKind[] = ['audio', 'video'];
/** Stands where a stream that has ended had its ingress: no node has this id. */
const NO_NODE = '';

/** Where every stream of the session enters, and which nodes need it now or are about to. */
export function routesOf(session: SessionState): StreamRoute[] {
  return [...session.streams.values()].flatMap((stream) => {
    const route = routeOf(session, stream);
    return route === null ? [] : [route];
  });
}

function routeOf(session: SessionState, stream: StreamState): StreamRoute | null {
  const transport = stream.connection.transport;
  if (transport === null) return null;
  const encodings = KINDS.flatMap((kind) => {
    const [codec] = publishedSection(transport.description.negotiated, stream.streamId, kind)?.codecs ?? [];
    return codec === undefined ? [] : [{ encodingId: ENCODING_IDS[kind], kind, clockRate: codec.clockRate }];
  });
  if (encodings.length === 0) return null;
  const { upcomingOwner } = transport;
  const consumers = new Set<string>();
  if (upcomingOwner !== null) consumers.add(upcomingOwner.nodeId);
  for (const connection of session.connections.values()) {
    for (const nodeId of consumerNodes(connection, stream.streamId)) consumers.add(nodeId);
  }
  return {
    streamId: feedIdOf(session, stream.streamId),
    ingressNodeId: transport.ownerNodeId,
    ingressEpoch: transport.epoch,
    encodings,
    consumerNodeIds: [...consumers].toSorted(),
    ...(upcomingOwner === null ? {} : { upcomingIngresses: upcomingIngresses(transport, upcomingOwner) }),
  };
}

/** Every receiver must accept whoever may come to own before it begins (in a rehearsal nobody does). */
function upcomingIngresses(
  { ownerNodeId }: TransportState,
  { nodeId, epoch, returnEpoch }: NonNullable<TransportState['upcomingOwner']>,
): NonNullable<StreamRoute['upcomingIngresses']> {
  return [
    { nodeId, epoch },
    { nodeId: ownerNodeId, epoch: returnEpoch },
  ];
}

function consumerNodes(connection: ConnectionState, streamId: string): string[] {
  const transport = connection.transport;
  if (
    transport === null ||
    !transport.description.negotiated.sections.some((section) => subscribes(section, streamId))
  ) {
    return [];
  }
  return transport.upcomingOwner === null
    ? [transport.ownerNodeId]
    : [transport.ownerNodeId, transport.upcomingOwner.nodeId];
}

function subscribes(section: NegotiatedSection, streamId: string): boolean {
  return section.use.type === 'subscribe' && section.use.streamId === streamId;
}

/** Routes of the streams that a connection sends or receives. */
export function routesOfConnection(connection: ConnectionState): StreamRoute[] {
  const sections = connection.transport?.description.negotiated.sections ?? [];
  const { session } = connection;
  const feedIds = new Set(
    sections.flatMap(({ use }) =>
      use.type === 'publish' || use.type === 'subscribe' ? [feedIdOf(session, use.streamId)] : [],
    ),
  );
  return routesOf(session).filter((route) => feedIds.has(route.streamId));
}

/** What must be told to which node, given what each was told before. */
export function routeChanges(
  routes: readonly StreamRoute[],
  sent: ReadonlyMap<string, ReadonlyMap<string, string>>,
): Map<string, StreamRoute[]> {
  const changes = new Map<string, StreamRoute[]>();
  const add = (nodeId: string, route: StreamRoute): void => {
    const known = sent.get(nodeId)?.get(route.streamId);
    if (known === JSON.stringify(route)) return;
    changes.set(nodeId, [...(changes.get(nodeId) ?? []), route]);
  };
  const byId = new Map(routes.map((route) => [route.streamId, route]));
  for (const route of routes) for (const nodeId of nodesOf(route)) add(nodeId, route);
  for (const [nodeId, told] of sent) {
    for (const streamId of told.keys()) {
      const route = byId.get(streamId) ?? removedRoute(streamId);
      if (!nodesOf(route).includes(nodeId)) add(nodeId, route);
    }
  }
  return changes;
}

/** True when the route leads to or from that node. */
export function routeNames(route: StreamRoute, nodeId: string): boolean {
  return nodesOf(route).includes(nodeId);
}

function nodesOf(route: StreamRoute): string[] {
  return [...new Set([route.ingressNodeId, ...route.consumerNodeIds])].filter((nodeId) => nodeId !== NO_NODE);
}

function removedRoute(streamId: string): StreamRoute {
  return { streamId, ingressNodeId: NO_NODE, ingressEpoch: 0, encodings: [], consumerNodeIds: [] };
}
