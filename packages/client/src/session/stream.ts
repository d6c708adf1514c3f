import type { ConnectionInfo, StreamInfo } from '@godwit/protocol';

/** A client in the session. */
export type Connection = Readonly<ConnectionInfo>;

/** A published stream. The same object is given out each time and follows the stream's properties. */
export interface Stream {
  readonly streamId: string;
  readonly connection: Connection;
  /** Milliseconds since 1970. */
  readonly creationTime: number;
  readonly name: string;
  readonly initials: string;
  readonly frameRate: number | undefined;
  hasAudio: boolean;
  hasVideo: boolean;
  hasCaptions: boolean;
  videoDimensions: { width: number; height: number };
  readonly videoType: 'camera' | 'screen' | 'custom' | undefined;
}

/** Makes the public object of a stream that the server told us of. */
export function streamFrom(info: StreamInfo): Stream {
  return {
    streamId: info.streamId,
    connection: info.connection,
    creationTime: info.creationTime,
    name: info.name,
    initials: info.initials ?? '',
    frameRate: info.frameRate,
    hasAudio: info.hasAudio,
    hasVideo: info.hasVideo,
    hasCaptions: info.hasCaptions,
    videoDimensions: { ...info.videoDimensions },
    videoType: info.videoType,
  };
}
