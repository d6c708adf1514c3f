import type { Peer } from '@godwit/testing';
import { distributionOf, type Distribution } from '../load/statistics.js';
import type { LoadedSession, SessionLoad } from '../load/session-load.js';

/** Packets that were on their way when a move ended are within its window. */
const AFTER_MOVE_MS = 250;

/** From the moment a client is told of its new address until its move has ended, and a little longer. */
export interface MoveWindow {
  readonly peer: Peer;
  readonly session: LoadedSession;
  readonly fromMs: number;
  readonly toMs: number;
}

/** The moves that began after `sinceMs`: one window for each transport. */
export function moveWindows(load: SessionLoad, sinceMs: number): MoveWindow[] {
  return load.sessions.flatMap((session) =>
    session.peers.flatMap((peer) =>
      peer.moves
        .filter(({ toldMs, endedMs }) => toldMs >= sinceMs && endedMs !== null)
        .map(({ toldMs, endedMs }) => ({
          peer,
          session,
          fromMs: toldMs,
          toMs: (endedMs ?? toldMs) + AFTER_MOVE_MS,
        })),
    ),
  );
}

/** Windows of the same transports and lengths, spread over a time in which nothing moves: what the machine itself does. */
export function shamWindows(windows: readonly MoveWindow[], fromMs: number, toMs: number): MoveWindow[] {
  return windows.map((window, number) => {
    const lengthMs = window.toMs - window.fromMs;
    const room = Math.max(0, toMs - fromMs - lengthMs);
    const startMs = fromMs + (windows.length === 1 ? 0 : (room * number) / (windows.length - 1));
    return { ...window, fromMs: startMs, toMs: startMs + lengthMs };
  });
}

export interface WindowGaps {
  /** Per transport that moves: worst of the streams that it receives, ms beyond the packets' spacing. */
  readonly received: Distribution;
  /** Per transport that moves: worst that the others of its session saw of the stream that it sends. */
  readonly sent: Distribution;
  /** Both kinds together, one value for each window and side: what the goal is about. */
  readonly both: Distribution;
  /** The longest silence of any received stream, its packets' spacing included. */
  readonly silence: Distribution;
}

/** Gaps in the windows as receivers saw them. */
export function gapsOf(windows: readonly MoveWindow[]): WindowGaps {
  const received: number[] = [];
  const sent: number[] = [];
  const silence: number[] = [];
  for (const window of windows) {
    const own = window.peer.tracks().map(({ stream }) => stream.worstGap(window.fromMs, window.toMs));
    received.push(Math.max(0, ...own.map(({ addedMs }) => addedMs)));
    silence.push(Math.max(0, ...own.map(({ silenceMs }) => silenceMs)));
    sent.push(worstOfPublished(window));
  }
  return {
    received: distributionOf(received),
    sent: distributionOf(sent),
    both: distributionOf([...received, ...sent]),
    silence: distributionOf(silence),
  };
}

function worstOfPublished({ peer, session, fromMs, toMs }: MoveWindow): number {
  const [streamId] = peer.publishedStreamIds;
  const seen = session.peers
    .filter((other) => other !== peer)
    .flatMap((other) => other.tracks(streamId))
    .map(({ stream }) => stream.worstGap(fromMs, toMs).addedMs);
  return Math.max(0, ...seen);
}
