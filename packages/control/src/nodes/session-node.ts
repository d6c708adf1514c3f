import type { NodeCommandType, NodeResult, SessionTerm } from '@godwit/protocol';
import type { ControlContext } from '../context.js';
import { isCommandError, type CommandFields } from './node-session.js';

/** A node's socket, on behalf of one session: the node refuses it once another control has spoken for the session. */
export interface SessionNode {
  readonly nodeId: string;
  /** As NodeSession.command. */
  command<T extends NodeCommandType>(type: T, fields: CommandFields<T>): Promise<NodeResult<T>>;
}

/** Null while the node's socket is away. */
export function nodeFor(
  context: Pick<ControlContext, 'nodes' | 'roster' | 'superseded'>,
  { sessionId, term }: SessionTerm,
  nodeId: string,
): SessionNode | null {
  const node = context.nodes.session(nodeId);
  if (node === null) return null;
  return {
    nodeId,
    command: async (type, fields) => {
      try {
        return await node.command(type, fields, { sessionId, term });
      } catch (error) {
        // A session that we have let go of since is rightly another's.
        if (isCommandError(error, 'superseded') && context.roster.kept(sessionId)?.term === term)
          context.superseded(sessionId);
        throw error;
      }
    },
  };
}
