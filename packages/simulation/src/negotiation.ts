import type { Json } from '@godwit/storage';
import {
  candidatesOfHop,
  capabilitiesOf,
  configure,
  descriptionJson,
  newConnectionState,
  newResumeToken,
  newTransportState,
  saveDescription,
  type ConnectionState,
  type ControlContext,
  type NegotiatedSection,
  type SessionState,
  type TransportDescription,
} from '@godwit/control/core';
import type { ClientRequest, Joined } from './client-messages.js';

type Join = Extract<ClientRequest, { type: 'join' }>;

const PAYLOAD_TYPE = 111;
const FIRST_EPOCH = 1;

/** Numbers that are given once in a world. */
export interface Numbers {
  nextSsrc(): number;
  /** 16 hex digits. */
  nextId(): string;
}

function section(mid: string, use: NegotiatedSection['use']): NegotiatedSection {
  return {
    mid,
    kind: 'audio',
    use,
    codecs: [{ payloadType: PAYLOAD_TYPE, name: 'opus', clockRate: 48_000, channels: 2 }],
    rtcpFeedback: { [PAYLOAD_TYPE]: [] },
    extensions: {},
    protocol: 'UDP/TLS/RTP/SAVPF',
    formats: String(PAYLOAD_TYPE),
  };
}

/**
 * Lets a client in: what `connect`, `createStream` and the first offer do between them, without token and SDP. Null when no
 * node takes its transport.
 */
export async function join(
  context: ControlContext,
  session: SessionState,
  request: Join,
  { numbers, nodeId }: { readonly numbers: Numbers; readonly nodeId: string },
): Promise<{ connection: ConnectionState; joined: Joined } | null> {
  const connectionId = `connection-${numbers.nextId()}`;
  const { token, hash } = newResumeToken();
  const role = 'publisher';
  const row = {
    role,
    sessionMigration: true,
    pathMethod: request.pathMethod,
    eventsSuppressed: true,
    layoutClasses: [],
  };
  await context.storage.connections.create({
    ...row,
    connectionId,
    sessionId: session.sessionId,
    data: '',
    resumeTokenHash: hash,
    createdAtMs: context.clockMs(),
    endedAtMs: null,
    endReason: null,
  });
  const connection = newConnectionState({
    ...row,
    role,
    connectionId,
    session,
    info: { connectionId, creationTime: context.clockMs(), data: '' },
    capabilities: capabilitiesOf(role),
    resumeTokenHash: hash,
  });
  context.roster.addConnection(connection);
  const streamId = request.publishSsrc === null ? null : await addStream(context, connection, numbers);
  const isThere = await connection.lock.run(() =>
    addTransport(context, connection, { request, streamId, nodeId, numbers }),
  );
  const { transport } = connection;
  if (!isThere || transport === null) return null;
  const { ice, candidates } = transport.description;
  const joined: Joined = {
    answer: 'joined',
    connectionId,
    resumeToken: token,
    transportId: transport.transportId,
    ice,
    addresses: candidates,
    streamId,
    streams: liveStreams(connection),
    seq: connection.channel.seq,
  };
  return { connection, joined };
}

/** Streams of others that can be received now. */
export function liveStreams(connection: ConnectionState): string[] {
  return [...connection.session.streams.values()]
    .filter((stream) => stream.published && stream.connection !== connection)
    .map(({ streamId }) => streamId);
}

async function addStream(
  context: ControlContext,
  connection: ConnectionState,
  numbers: Numbers,
): Promise<string> {
  const streamId = numbers.nextId();
  const creationTime = context.clockMs();
  const info = {
    streamId,
    connection: connection.info,
    creationTime,
    name: '',
    hasAudio: true,
    hasVideo: false,
    hasCaptions: false,
    videoDimensions: { width: 0, height: 0 },
  };
  await context.storage.streams.create({
    streamId,
    sessionId: connection.session.sessionId,
    connectionId: connection.connectionId,
    info: info as Json,
    layoutClasses: [],
    createdAtMs: creationTime,
    publishedAtMs: null,
    endedAtMs: null,
  });
  const stream = { streamId, connection, info, published: false, configured: false, layoutClasses: [] };
  connection.session.streams.set(streamId, stream);
  return streamId;
}

async function addTransport(
  context: ControlContext,
  connection: ConnectionState,
  options: {
    readonly request: Join;
    readonly streamId: string | null;
    readonly nodeId: string;
    readonly numbers: Numbers;
  },
): Promise<boolean> {
  const { request, streamId, nodeId, numbers } = options;
  const node = context.nodes.session(nodeId);
  if (node === null || connection.ended) return false;
  const transportId = numbers.nextId();
  const localSsrc = numbers.nextSsrc();
  const remote: TransportDescription['remote'] = {
    ice: request.ice,
    fingerprint: { algorithm: 'sha-256', value: request.fingerprint },
    setup: 'active',
  };
  const { sessionId } = connection.session;
  const made = await node
    .command('createTransport', { transportId, sessionId, epoch: FIRST_EPOCH, remote, localSsrc })
    .catch(() => null);
  if (made === null || connection.ended) return false;
  const sections =
    streamId === null
      ? [section('0', { type: 'inactive' })]
      : [section('0', { type: 'publish', streamId, ssrc: request.publishSsrc ?? 0 })];
  connection.transport = newTransportState({
    transportId,
    ownerNodeId: nodeId,
    epoch: FIRST_EPOCH,
    isConnected: false,
    claimed: true,
    description: {
      localSsrc,
      generation: 0,
      ice: made.ice,
      fingerprint: made.fingerprint,
      remote,
      candidates: candidatesOfHop(made.addresses, 0)?.candidates ?? [],
      hops: 0,
      isReplacement: false,
      negotiated: { sdpSessionId: '1', version: 0, extmapAllowMixed: false, sections, ssrcsUsed: [] },
    },
  });
  context.roster.indexTransport(connection);
  await context.storage.transports.create({
    transportId,
    sessionId,
    connectionId: connection.connectionId,
    ownerNodeId: nodeId,
    epoch: FIRST_EPOCH,
    epochHighest: FIRST_EPOCH,
    intent: null,
    lastIntent: null,
    connected: false,
    negotiated: descriptionJson(connection.transport),
    createdAtMs: context.clockMs(),
    endedAtMs: null,
  });
  return applyMedia(context, connection);
}

/** As an answered offer: routes first, then the owner's rules, then the row. */
async function applyMedia(context: ControlContext, connection: ConnectionState): Promise<boolean> {
  const { transport } = connection;
  if (transport === null) return false;
  await context.routes.push(connection.session);
  const isConfigured = await configure(context, connection);
  await saveDescription(context, transport);
  return isConfigured;
}

/** Adds an m-line for a stream, in the connection's turn. Answers the SSRC of the egress. */
export function subscribe(
  context: ControlContext,
  connection: ConnectionState,
  streamId: string,
  numbers: Numbers,
): Promise<number | null> {
  return connection.lock.run(async () => {
    const { transport } = connection;
    if (transport === null || connection.ended || !connection.session.streams.has(streamId)) return null;
    const { negotiated } = transport.description;
    const known = negotiated.sections.find(
      ({ use }) => use.type === 'subscribe' && use.streamId === streamId,
    );
    if (known?.use.type === 'subscribe') return known.use.ssrc;
    const ssrc = numbers.nextSsrc();
    const added = section(String(negotiated.sections.length), { type: 'subscribe', streamId, ssrc });
    transport.description = {
      ...transport.description,
      negotiated: { ...negotiated, sections: [...negotiated.sections, added] },
    };
    await applyMedia(context, connection);
    return ssrc;
  });
}

/** Empties the m-line of a stream that has ended. */
export function unsubscribe(
  context: ControlContext,
  connection: ConnectionState,
  streamId: string,
): Promise<boolean> {
  return connection.lock.run(() => {
    const { transport } = connection;
    if (transport === null || connection.ended) return Promise.resolve(false);
    const { negotiated } = transport.description;
    const sections = negotiated.sections.map((known) =>
      known.use.type === 'subscribe' && known.use.streamId === streamId
        ? { ...known, use: { type: 'inactive' as const } }
        : known,
    );
    transport.description = { ...transport.description, negotiated: { ...negotiated, sections } };
    return applyMedia(context, connection);
  });
}
