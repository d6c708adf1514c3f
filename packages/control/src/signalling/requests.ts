import { SIGNAL_DATA_BYTES_MAX, type ClientRequest } from '@godwit/protocol';
import type { ControlContext } from '../context.js';
import { ClientError, type ClientErrorName } from '../errors.js';
import type { Migrations } from '../migration/migrations.js';
import { endConnection } from '../roster/connections.js';
import type { ConnectionState } from '../roster/state.js';
import { recoverPath } from '../roster/rejoin.js';
import { forceDisconnect, muteSession, muteStream, unpublish } from '../roster/moderation.js';
import { sendSignal } from '../roster/signals.js';
import { createStream, ownStream, updateStream } from '../roster/streams.js';
import { maySignal } from '../tokens/roles.js';
import { refresh } from '../transports/configure.js';
import { handleOffer } from '../transports/offer.js';
import { handleRestartAnswer } from '../transports/restart.js';

/** What a client may ask once it is connected. */
export type ConnectedRequest = Exclude<ClientRequest, { type: 'connect' | 'resume' }>;
type ModerationRequest = Extract<
  ConnectedRequest,
  { type: 'forceDisconnect' | 'forceUnpublish' | 'forceMuteStream' | 'forceMuteAll' | 'disableForceMute' }
>;
type Request<T extends ClientRequest['type']> = Extract<ClientRequest, { type: T }>;

/** Does what the client asks and answers the result. Throws a ClientError when it is refused. */
export async function handleRequest(
  context: ControlContext,
  migrations: Migrations,
  connection: ConnectionState,
  request: ConnectedRequest,
): Promise<unknown> {
  switch (request.type) {
    case 'ping':
      return {};
    case 'createStream':
      return createStream(context, connection, request);
    case 'destroyStream':
      return removeStream(context, connection, request.streamId);
    case 'updateStream':
      await updateStream(context, connection, request);
      return {};
    case 'offer':
      return handleOffer(context, connection, request);
    case 'updateSubscription':
      return updateSubscription(context, connection, request);
    case 'restartAnswer':
      handleRestartAnswer(context, connection, request.restartId, request.sdp);
      return {};
    case 'requestRestart':
      await recoverPath(context, connection);
      return {};
    case 'signal':
      return signal(context, connection, request);
    case 'forceDisconnect':
    case 'forceUnpublish':
    case 'forceMuteStream':
    case 'forceMuteAll':
    case 'disableForceMute':
      return moderate(context, connection, request);
    case 'gapReport':
      await migrations.saveGap(connection, request.report);
      return {};
    case 'lossReport':
      context.metrics.lossMs.observe(request.report.silentMs);
      context.log.info(
        { connectionId: connection.connectionId, ...request.report },
        'media is back after a loss',
      );
      return {};
    case 'disconnect':
      await endConnection(context, connection, 'clientDisconnected');
      return {};
  }
}

async function removeStream(
  context: ControlContext,
  connection: ConnectionState,
  streamId: string,
): Promise<object> {
  await unpublish(context, ownStream(connection, streamId), 'clientDisconnected');
  return {};
}

function updateSubscription(
  context: ControlContext,
  connection: ConnectionState,
  request: Request<'updateSubscription'>,
): object {
  const { streamId } = request;
  if (!connection.session.streams.has(streamId)) {
    throw new ClientError('streamNotFound', 'There is no such stream in this session.');
  }
  const before = connection.wanted.get(streamId) ?? { audio: true, video: true };
  connection.wanted.set(streamId, {
    audio: request.audio ?? before.audio,
    video: request.video ?? before.video,
  });
  refresh(context, connection);
  return {};
}

async function signal(
  context: ControlContext,
  connection: ConnectionState,
  request: Request<'signal'>,
): Promise<object> {
  if (!maySignal(connection.role)) {
    throw new ClientError('unableToSignal', `The role ${connection.role} does not allow to signal.`);
  }
  if (Buffer.byteLength(request.data) > SIGNAL_DATA_BYTES_MAX) {
    throw new ClientError('unableToSignal', `Signal data is limited to ${SIGNAL_DATA_BYTES_MAX} bytes.`);
  }
  const { session } = connection;
  const to = request.to === undefined ? null : session.connections.get(request.to);
  if (to === undefined) throw new ClientError('unableToSignal', 'The receiver is not in this session.');
  const { signalType: type, data, id: requestId } = request;
  await sendSignal(context, session, { type, data, from: connection, to, requestId });
  return {};
}

/** What moderators do to others. Throws a ClientError. */
async function moderate(
  context: ControlContext,
  connection: ConnectionState,
  request: ModerationRequest,
): Promise<object> {
  const { session, capabilities } = connection;
  switch (request.type) {
    case 'forceDisconnect':
      requireCapability(capabilities.forceDisconnect, 'unableToForceDisconnect');
      await forceDisconnect(
        context,
        found(session.connections.get(request.connectionId), 'invalidParameter'),
      );
      break;
    case 'forceUnpublish':
      requireCapability(capabilities.forceUnpublish, 'unableToForceUnpublish');
      await unpublish(
        context,
        found(session.streams.get(request.streamId), 'invalidStream'),
        'forceUnpublished',
      );
      break;
    case 'forceMuteStream':
      requireCapability(capabilities.forceMute, 'unableToForceMute');
      muteStream(found(session.streams.get(request.streamId), 'invalidStream'));
      break;
    case 'forceMuteAll':
      requireCapability(capabilities.forceMute, 'unableToForceMute');
      await muteSession(context, session, { active: true, excludedStreamIds: request.excludedStreamIds });
      break;
    case 'disableForceMute':
      requireCapability(capabilities.forceMute, 'unableToForceMute');
      await muteSession(context, session, { active: false, excludedStreamIds: [] });
      break;
  }
  return {};
}

function requireCapability(capability: 0 | 1, entry: ClientErrorName): void {
  if (capability !== 1) throw new ClientError(entry, 'Only moderators may do this.');
}

function found<T>(thing: T | undefined, entry: ClientErrorName): T {
  if (thing === undefined) throw new ClientError(entry, 'The session has none of that id.');
  return thing;
}
