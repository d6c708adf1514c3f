import type { NodeCommandType, NodeResult } from '@godwit/protocol';
import type { ControlContext } from '../context.js';
import type { SessionState } from '../roster/state.js';
import { isCommandError, NodeCommandError, type CommandFields } from './node-session.js';

/** A node's socket, on behalf of one session: the node refuses it once another control has spoken for the session. */
export interface SessionNode {
  readonly nodeId: string;
  /** As NodeSession.command. */
  command<T extends NodeCommandType>(type: T, fields: CommandFields<T>): Promise<NodeResult<T>>;
}

/** Null while the node's socket is away. */
export function nodeFor(
  context: Pick<ControlContext, 'nodes' | 'roster' | 'superseded'>,
  session: SessionState,
  nodeId: string,
): SessionNode | null {
  const node = context.nodes.session(nodeId);
  if (node === null) return null;
  const { sessionId } = session;
  return {
    nodeId,
    command: async (type, fields) => {
      const { term } = session;
      // It was let go of: what is done with it now is another's to say.
      if (context.roster.kept(sessionId) !== session)
        throw new NodeCommandError('disconnected', 'this control does not keep the session any more');
      try {
        return await node.command(type, fields, { sessionId, term });
      } catch (error) {
        if (!isCommandError(error, 'superseded')) throw error;
        if (!(await context.superseded(session, term))) throw error;
        return node.command(type, fields, { sessionId, term: session.term });
      }
    },
  };
}
