/** Options of `OT.initSession` (names of OpenTok.js). */
export interface SessionOptions {
  /** Stay connected when the session moves to other media servers. Default false, as in OpenTok.js. */
  sessionMigration?: boolean;
  /** No connectionCreated and connectionDestroyed events, for very large sessions. */
  connectionEventsSuppressed?: boolean;
  /** Further ICE servers; none are needed, since media servers have public addresses. */
  iceConfig?: {
    includeServers?: 'all' | 'custom';
    transportPolicy?: 'all' | 'relay';
    customServers?: { urls: string | string[]; username?: string; credential?: string }[];
  };
}

/** Peer connection settings for the options. */
export function rtcConfiguration({ iceConfig }: SessionOptions): RTCConfiguration {
  return {
    iceServers: iceConfig?.customServers ?? [],
    iceTransportPolicy: iceConfig?.transportPolicy ?? 'all',
  };
}
