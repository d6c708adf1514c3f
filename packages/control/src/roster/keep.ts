import type { ReplicaRecord } from '@godwit/storage';
import type { ControlContext } from '../context.js';
import { ControlError } from '../errors.js';
import { ORPHANS_AT_ONCE_MAX, SESSION_IDLE_MS } from '../limits.js';
import { KeptElsewhere } from '../replicas/kept-elsewhere.js';
import { takeUp } from './recovery.js';
import type { SessionState } from './state.js';

/**
 * The session, which this control keeps from here on: in memory, with everybody who is in it. Null: there is none.
 * Errors: KeptElsewhere.
 */
export async function keepSession(context: ControlContext, sessionId: string): Promise<SessionState | null> {
  const { roster, storage, membership, clockMs } = context;
  if (context.isLeaving()) return leadElsewhere(context, sessionId);
  const known = roster.kept(sessionId);
  if (known !== null) {
    known.usedAtMs = clockMs();
    return known;
  }
  return roster.inTurn(sessionId, async () => {
    const meanwhile = roster.kept(sessionId);
    if (meanwhile !== null) return meanwhile;
    const keeping = await storage.replicas.keep(sessionId, membership.replicaId);
    if (keeping === null) return null;
    if (!keeping.isOurs) throw new KeptElsewhere(sessionId, keeping.keeper);
    const [session] = await takeUp(context, [keeping.kept]);
    return session ?? null;
  });
}

/** A control that leaves keeps nothing more: whoever has the session, or could take it, is asked. */
async function leadElsewhere(
  { storage, membership }: ControlContext,
  sessionId: string,
): Promise<SessionState | null> {
  if ((await storage.sessions.get(sessionId)) === null) return null;
  const isOther = ({ replicaId, url }: ReplicaRecord): boolean =>
    replicaId !== membership.replicaId && url !== null;
  const keptBy = await storage.replicas.keeperOf(sessionId);
  const keeper = keptBy !== null && isOther(keptBy) ? keptBy : membership.replicas().find(isOther);
  if (keeper === undefined) throw new ControlError('unavailable', 'This control is about to end.');
  throw new KeptElsewhere(sessionId, keeper);
}

/** Takes up sessions that somebody is in and whose control is gone, one batch of them; answers how many. */
export async function keepOrphans(context: ControlContext): Promise<number> {
  const { roster, storage, membership, log } = context;
  const orphans = await storage.replicas.keepOrphans(membership.replicaId, ORPHANS_AT_ONCE_MAX);
  if (orphans.length === 0) return 0;
  const sessionIds = orphans.map(({ record }) => record.sessionId);
  const sessions = await roster
    .inTurns(sessionIds, () =>
      // Somebody may have asked for one just now.
      takeUp(
        context,
        orphans.filter(({ record }) => roster.kept(record.sessionId) === null),
      ),
    )
    .catch(async (error: unknown) => {
      // Whoever looks next takes them up: ours in name only, nobody would.
      const left = orphans.filter(({ record }) => roster.kept(record.sessionId) === null);
      await Promise.allSettled(
        left.map(({ record, term }) => storage.replicas.letGo(record.sessionId, membership.replicaId, term)),
      );
      throw error;
    });
  const connections = sessions.reduce((sum, session) => sum + session.connections.size, 0);
  log.info({ sessions: orphans.length, connections }, 'took up sessions of an earlier control');
  return orphans.length;
}

/** Lets go of sessions that nobody has been in or asked for lately: the next to ask for one keeps it. */
export async function letGoOfIdle(context: ControlContext): Promise<void> {
  const { roster, storage, membership, clockMs } = context;
  const nowMs = clockMs();
  const idle = roster
    .sessions()
    .filter(({ connections, usedAtMs }) => connections.size === 0 && nowMs - usedAtMs > SESSION_IDLE_MS);
  for (const { sessionId } of idle) {
    await roster.inTurn(sessionId, async () => {
      const session = roster.kept(sessionId);
      if (session === null || session.connections.size > 0 || session.usedAtMs >= nowMs - SESSION_IDLE_MS)
        return;
      roster.forgetSession(session);
      await storage.replicas.letGo(sessionId, membership.replicaId, session.term);
    });
  }
}
