import { randomUUID } from 'node:crypto';
import type { ConnectionInfo, StreamInfo } from '@godwit/protocol';
import { connectionInfo, streamInfo } from '@godwit/protocol';
import type { CallbackEvent, ConnectionBegun, ConnectionEnded, Json } from '@godwit/storage';

/** Events of session monitoring, as receivers may choose them. */
export const SESSION_EVENTS = [
  'sessionCreated',
  'sessionDestroyed',
  'sessionNotification',
  'connectionCreated',
  'connectionDestroyed',
  'streamCreated',
  'streamDestroyed',
] as const;
export type SessionEvent = (typeof SESSION_EVENTS)[number];

/** The session that something happened in, and when. */
export interface Happening {
  readonly sessionId: string;
  readonly apiKey: string;
  readonly nowMs: number;
}

/** A client has joined; the first one makes the session, as far as receivers are concerned. */
export function connectionBegunEvents(happening: Happening, connection: ConnectionInfo) {
  return ({ isFirst }: ConnectionBegun): CallbackEvent[] => [
    ...(isFirst ? [eventOf(happening, 'sessionCreated', {})] : []),
    eventOf(happening, 'connectionCreated', { connection: connectionBody(connection) }),
  ];
}

/** A client is gone with its streams; the last one ends the session. */
export function connectionEndedEvents(happening: Happening, reason: string) {
  return ({ connection, streams, isLast }: ConnectionEnded): CallbackEvent[] => {
    const { connectionId, createdAtMs, data } = connection;
    const info = connectionInfo.parse({ connectionId, creationTime: createdAtMs, data });
    return [
      ...streams.flatMap((stream) => {
        const parsed = streamInfo.safeParse(stream.info);
        return parsed.success ? [streamDestroyedEvent(happening, parsed.data, reason)] : [];
      }),
      eventOf(happening, 'connectionDestroyed', { connection: connectionBody(info), reason }),
      ...(isLast ? [eventOf(happening, 'sessionDestroyed', { reason })] : []),
    ];
  };
}

/** The others were told of a stream. */
export function streamCreatedEvent(happening: Happening, stream: StreamInfo): CallbackEvent {
  return eventOf(happening, 'streamCreated', { stream: streamBody(stream) });
}

export function streamDestroyedEvent(
  happening: Happening,
  stream: StreamInfo,
  reason: string,
): CallbackEvent {
  return eventOf(happening, 'streamDestroyed', { stream: streamBody(stream), reason });
}

/** The servers of a session are to be rotated. `remainingSeconds` names the notice: 14,400 or 3,600. */
export function sessionNotificationEvent(
  happening: Happening,
  {
    eventId,
    remainingSeconds,
    endsAtMs,
  }: { readonly eventId: string; readonly remainingSeconds: number; readonly endsAtMs: number },
): CallbackEvent {
  const rest = { reason: 'serverRotation', remainingTime: remainingSeconds, endsAt: endsAtMs };
  return { ...eventOf(happening, 'sessionNotification', rest), eventId };
}

function eventOf(
  { sessionId, apiKey, nowMs }: Happening,
  event: SessionEvent,
  rest: { readonly [key: string]: Json },
): CallbackEvent {
  return {
    eventId: randomUUID(),
    group: 'session',
    event,
    body: { sessionId, projectId: apiKey, event, timestamp: nowMs, ...rest },
    createdAtMs: nowMs,
  };
}

const connectionBody = ({ connectionId, creationTime, data }: ConnectionInfo): Json => ({
  id: connectionId,
  createdAt: creationTime,
  data,
});

const streamBody = ({ streamId, connection, creationTime, name, videoType }: StreamInfo): Json => ({
  id: streamId,
  connection: connectionBody(connection),
  createdAt: creationTime,
  name,
  ...(videoType === undefined ? {} : { videoType }),
});
