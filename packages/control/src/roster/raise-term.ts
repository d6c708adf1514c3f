import type { ControlContext } from '../context.js';
import type { SessionState } from './state.js';
import { isDatabaseAway } from './unwritten.js';

type TermContext = Pick<ControlContext, 'storage' | 'membership' | 'log' | 'roster'>;

/**
 * A node has heard of a later keeper of the session than we are in `term`. Either the others have taken this control for dead: then
 * `onLost` is called. Or the database was restored from an older copy and has forgotten terms: then the session goes on in a higher
 * one. True when there is a higher one to try.
 */
export async function raiseTerm(
  { storage, membership, log, roster }: TermContext,
  session: SessionState,
  term: number,
  onLost: () => void,
): Promise<boolean> {
  const { sessionId } = session;
  // A session that we have let go of since is rightly another's.
  if (roster.kept(sessionId) !== session) return false;
  return session.termLock.run(async () => {
    if (session.term > term) return true;
    try {
      const raised = await storage.replicas.raiseTerm(sessionId, membership.replicaId, term);
      if (raised !== null) {
        session.term = raised;
        log.warn(
          { sessionId },
          'a node knows a later term of a session than the database: it was an older copy',
        );
        return true;
      }
    } catch (error) {
      if (!isDatabaseAway(error)) throw error;
      // Cut off from the database alone: while it is away for all, nobody can take anything.
      if (!membership.isSure()) onLost();
      return false;
    }
    log.error({ sessionId }, 'another control keeps a session of this one');
    onLost();
    return false;
  });
}
