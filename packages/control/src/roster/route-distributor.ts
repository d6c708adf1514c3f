import type { StreamRoute } from '@godwit/protocol';
import type { ControlContext } from '../context.js';
import { nodeFor } from '../nodes/session-node.js';
import { routeChanges, routeNames, routesOf } from './routes.js';
import type { SessionState } from './state.js';

/** Streams of one setStreams command; the message holds as many. */
const ROUTES_PER_COMMAND_MAX = 1_024;

type RouteContext = Pick<ControlContext, 'nodes' | 'roster' | 'superseded' | 'log'>;

/** Tells nodes what changed of a session's routes. */
export class RouteDistributor {
  readonly #context: RouteContext;
  /** Pushes that have not looked at their session yet. */
  readonly #waiting = new Map<SessionState, Promise<ReadonlySet<string>>>();

  constructor(context: RouteContext) {
    this.#context = context;
  }

  /**
   * Resolves once every node concerned has answered; with the nodes that did not take their routes. Whoever comes while a
   * push waits for its turn shares it: a session whose transports all move would otherwise tell its routes for each.
   */
  push(session: SessionState): Promise<ReadonlySet<string>> {
    const waiting = this.#waiting.get(session);
    if (waiting !== undefined) return waiting;
    const push = session.routesLock.run(async () => {
      this.#waiting.delete(session);
      const changes = routeChanges(routesOf(session), session.routesSent);
      const failed = new Set<string>();
      await Promise.all(
        [...changes].map(async ([nodeId, routes]) => {
          if (!(await this.#tell(session, nodeId, routes))) failed.add(nodeId);
        }),
      );
      return failed;
    });
    this.#waiting.set(session, push);
    return push;
  }

  /** The node is new or came back: it is to be told everything again. */
  forgetNode(session: SessionState, nodeId: string): void {
    session.routesSent.delete(nodeId);
  }

  async #tell(session: SessionState, nodeId: string, routes: readonly StreamRoute[]): Promise<boolean> {
    const node = nodeFor(this.#context, session, nodeId);
    if (node === null) {
      // It will be told everything when it comes back.
      session.routesSent.delete(nodeId);
      return false;
    }
    try {
      for (let start = 0; start < routes.length; start += ROUTES_PER_COMMAND_MAX) {
        await node.command('setStreams', { streams: routes.slice(start, start + ROUTES_PER_COMMAND_MAX) });
      }
    } catch (error) {
      this.#context.log.warn(
        { nodeId, sessionId: session.sessionId, error: String(error) },
        'node did not take its routes',
      );
      return false;
    }
    const told = session.routesSent.get(nodeId) ?? new Map<string, string>();
    for (const route of routes) {
      if (routeNames(route, nodeId)) told.set(route.streamId, JSON.stringify(route));
      else told.delete(route.streamId);
    }
    if (told.size > 0) session.routesSent.set(nodeId, told);
    else session.routesSent.delete(nodeId);
    return true;
  }
}
