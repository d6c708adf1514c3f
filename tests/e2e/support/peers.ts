import { Peer, PlatformApi, startPlatform, type PeerOptions, type Platform } from '@godwit/testing';

/** A platform on the loopback interface, for peers in this process. */
export interface PeerPlatform {
  readonly platform: Platform;
  readonly api: PlatformApi;
  /** One more peer in the session; whoever asks for it closes it. */
  join(sessionId: string, options?: Pick<PeerOptions, 'pathMethod'>): Promise<Peer>;
}

/** Starts it. Its sessions may move as soon as they exist. */
export async function startPeerPlatform(nodes = 2): Promise<PeerPlatform> {
  const platform = await startPlatform({
    nodes,
    nodeEnv: { GODWIT_ANNOUNCED_ADDRESSES: '127.0.0.1' },
    env: { GODWIT_MIGRATION_MIN_AGE_SECONDS: '0' },
  });
  const { url, apiKey } = platform;
  const api = new PlatformApi(platform);
  const join = async (sessionId: string, options = {}): Promise<Peer> =>
    Peer.join({ url, apiKey, sessionId, token: await api.token(sessionId), ...options });
  return { platform, api, join };
}
