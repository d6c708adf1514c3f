import { SIGNAL_DATA_BYTES_MAX, type ClientRequest } from '@godwit/protocol';
import type { ControlContext } from '../context.js';
import { ClientError } from '../errors.js';
import type { Migrations } from '../migration/migrations.js';
import { endConnection } from '../roster/connections.js';
import type { ConnectionState } from '../roster/state.js';
import { recoverPath } from '../roster/rejoin.js';
import { createStream, destroyStream, ownStream, updateStream } from '../roster/streams.js';
import { maySignal } from '../tokens/roles.js';
import { refresh, refreshSubscribers } from '../transports/configure.js';
import { handleOffer } from '../transports/offer.js';
import { handleRestartAnswer } from '../transports/restart.js';

/** What a client may ask once it is connected. */
export type ConnectedRequest = Exclude<ClientRequest, { type: 'connect' | 'resume' }>;
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
  await destroyStream(context, ownStream(connection, streamId), 'clientDisconnected');
  await context.routes.push(connection.session);
  refresh(context, connection);
  refreshSubscribers(context, connection, new Set([streamId]));
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

function signal(context: ControlContext, connection: ConnectionState, request: Request<'signal'>): object {
  if (!maySignal(connection.role)) {
    throw new ClientError('unableToSignal', `The role ${connection.role} does not allow to signal.`);
  }
  if (Buffer.byteLength(request.data) > SIGNAL_DATA_BYTES_MAX) {
    throw new ClientError('unableToSignal', `Signal data is limited to ${SIGNAL_DATA_BYTES_MAX} bytes.`);
  }
  const event = {
    event: 'signal' as const,
    ...(request.signalType === undefined ? {} : { signalType: request.signalType }),
    data: request.data,
    from: connection.info,
  };
  if (request.to === undefined) {
    context.roster.broadcast(connection.session, event);
    return {};
  }
  const receiver = connection.session.connections.get(request.to);
  if (receiver === undefined) throw new ClientError('unableToSignal', 'The receiver is not in this session.');
  receiver.channel.push(event);
  return {};
}
