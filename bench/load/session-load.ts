import { Peer, type PlatformApi, type Platform } from '@godwit/testing';

export interface LoadShape {
  /** Connections, each with one transport. */
  readonly transports: number;
  /** Streams that each transport receives: the others of its session, each of which publishes one. */
  readonly egress: number;
  /** Packets of one stream a second. */
  readonly packetsPerSecond: number;
  readonly payloadBytes: number;
}

/** Joins that run at a time: a handshake costs more than anything that follows it. */
const JOINS_CONCURRENT = 6;
/** Most packets are told apart by their headers and tags; a sample shows that they decrypt. */
const DECRYPT_ONE_IN = 32;

/** One session of the load. */
export interface LoadedSession {
  readonly sessionId: string;
  readonly peers: readonly Peer[];
}

/** Sessions of `egress + 1` peers, each of which sends one audio-like stream and receives all the others. */
export class SessionLoad {
  readonly shape: LoadShape;
  readonly sessions: readonly LoadedSession[];

  private constructor(shape: LoadShape, sessions: readonly LoadedSession[]) {
    this.shape = shape;
    this.sessions = sessions;
  }

  /** Joins everybody. `progress` hears of each peer that stands. */
  static async start(
    platform: Pick<Platform, 'url' | 'apiKey'>,
    api: PlatformApi,
    shape: LoadShape,
    progress: (joined: number) => void = () => undefined,
  ): Promise<SessionLoad> {
    const sizes = sessionSizes(shape.transports, shape.egress + 1);
    const sessions: { sessionId: string; peers: Peer[] }[] = [];
    for (let each = 0; each < sizes.length; each++) {
      sessions.push({ sessionId: await api.createSession(), peers: [] });
    }
    const joins = sessions.flatMap((session, number) =>
      Array.from({ length: sizes[number] ?? 0 }, () => session),
    );
    let joined = 0;
    await forEach(joins, async ({ sessionId, peers }) => {
      const { url, apiKey } = platform;
      const token = await api.token(sessionId);
      const peer = await Peer.join({ url, apiKey, sessionId, token, decryptOneIn: DECRYPT_ONE_IN });
      const { packetsPerSecond, payloadBytes } = shape;
      await peer.publish({ audio: { packetsPerSecond, payloadBytes } });
      peers.push(peer);
      progress((joined += 1));
    });
    const load = new SessionLoad(shape, sessions);
    await forEach(load.peers, (peer) => peer.subscribeAll());
    return load;
  }

  get peers(): readonly Peer[] {
    return this.sessions.flatMap(({ peers }) => peers);
  }

  /** Resolves when every receiver has got some packets of every stream. */
  async flowing(): Promise<void> {
    for (const { peers } of this.sessions) {
      for (const peer of peers) {
        const flows = (): boolean => {
          const reports = peer.received();
          return reports.length === peers.length - 1 && reports.every(({ packets }) => packets > 3);
        };
        await peer.until('every stream flows', flows, 30_000);
      }
    }
  }

  /** Sums over all receivers since they joined. */
  totals(): LoadTotals {
    const totals = {
      packets: 0,
      lost: 0,
      missing: 0,
      copies: 0,
      reusedNonces: 0,
      reordered: 0,
      unauthentic: 0,
    };
    for (const peer of this.peers) {
      for (const report of peer.received()) {
        totals.packets += report.packets;
        totals.lost += report.lost;
        totals.missing += report.missing;
        totals.copies += report.copies;
        totals.reusedNonces += report.reusedNonces;
        totals.reordered += report.reordered;
      }
      totals.unauthentic += peer.transport.authenticationFailures;
    }
    return totals;
  }

  async close(): Promise<void> {
    await Promise.all(this.peers.map((peer) => peer.close()));
  }
}

export interface LoadTotals {
  readonly packets: number;
  readonly lost: number;
  readonly missing: number;
  readonly copies: number;
  readonly reusedNonces: number;
  readonly reordered: number;
  readonly unauthentic: number;
}

/** Splits the transports into sessions of at least `size`: what is left over joins the last one. */
export function sessionSizes(transports: number, size: number): number[] {
  const sessions = Math.max(1, Math.floor(transports / size));
  const sizes = Array.from({ length: sessions }, () => Math.floor(transports / sessions));
  return sizes.map((each, number) => each + (number < transports - each * sessions ? 1 : 0));
}

async function forEach<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: JOINS_CONCURRENT }, worker));
}
