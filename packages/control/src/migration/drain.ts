import type { ControlContext } from '../context.js';
import { forEachLimited } from '../deadline.js';
import { ControlError } from '../errors.js';
import { DRAINS_CONCURRENT_MAX } from '../limits.js';
import { isBoundTo, type SessionState } from '../roster/state.js';
import { chooseTarget } from '../nodes/placement.js';
import type { Migrations } from './migrations.js';

/** A session that failed to leave a stopping node is tried this often; then the node stops with it. */
const DRAIN_ATTEMPTS_MAX = 3;

/** Migrates every session with a transport on the node, or on its way there, away from it. */
export async function drainNode(
  context: ControlContext,
  migrations: Migrations,
  nodeId: string,
): Promise<void> {
  const sessions = new Set(context.roster.connectionsBoundTo(nodeId).map(({ session }) => session));
  await forEachLimited([...sessions], DRAINS_CONCURRENT_MAX, (session) =>
    drainSession(context, migrations, session, nodeId),
  );
  context.log.info({ nodeId, sessions: sessions.size }, 'node drained');
}

async function drainSession(
  context: ControlContext,
  migrations: Migrations,
  session: SessionState,
  nodeId: string,
): Promise<void> {
  const holds = (): boolean =>
    [...session.connections.values()].some(
      ({ transport }) => transport !== null && isBoundTo(transport, nodeId),
    );
  for (let attempt = 0; attempt < DRAIN_ATTEMPTS_MAX; attempt++) {
    await migrations.settled(session.sessionId);
    // What was on its way here may have stayed where it was.
    if (!holds()) return;
    const target = chooseTarget(context.nodes.list(), [nodeId], null);
    try {
      await migrations.start(session, { target, rehearsal: false, ignoreMinAge: true });
    } catch (error) {
      if (!(error instanceof ControlError)) throw error;
      context.log.warn(
        { sessionId: session.sessionId, nodeId, error: error.description },
        'session cannot leave its node',
      );
      return;
    }
    await migrations.settled(session.sessionId);
  }
}
