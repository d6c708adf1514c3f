import { createHash } from 'node:crypto';
import type { SessionState } from './state.js';

/**
 * The name under which nodes know a stream. It is the stream's own id until its publisher has lost a transport: the next
 * one sends with other SSRCs and another row of indices, so that to nodes it is another stream. A subscriber's egress
 * keeps its SSRC and goes on above the indices that it has used.
 */
export function feedIdOf(session: SessionState, streamId: string): string {
  const transport = session.streams.get(streamId)?.connection.transport ?? null;
  if (transport?.description.isReplacement !== true) return streamId;
  const digest = createHash('sha256').update(`${streamId}/${transport.transportId}`).digest('hex');
  return digest.slice(0, streamId.length);
}
