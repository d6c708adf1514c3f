import type { Logger } from 'pino';
import type { Membership, RosterStorage } from '@godwit/storage';
import type { Metrics } from './metrics.js';
import type { NodeRegistry } from './nodes/registry.js';
import type { Roster } from './roster/roster.js';
import type { ConnectionState, SessionState } from './roster/state.js';
import type { RouteDistributor } from './roster/route-distributor.js';
import type { UnwrittenChanges } from './roster/unwritten.js';
import type { ProjectDirectory } from './projects/project.js';

/** Waits that tests shorten. */
export interface Timings {
  readonly pathProofMs: number;
  readonly transferMs: number;
  readonly transferAloneMs: number;
  readonly restartAnswerMs: number;
  readonly connectedWaitMs: number;
  readonly resumeGraceMs: number;
  readonly nodeReportGraceMs: number;
  readonly nodeCommandMs: number;
  readonly nodeDeadMs: number;
  readonly rejoinMs: number;
  readonly nodeMissingMs: number;
}

/** What the parts of control share. */
export interface ControlContext {
  readonly storage: RosterStorage;
  /** This control among those that share the storage. */
  readonly membership: Membership;
  readonly nodes: NodeRegistry;
  readonly routes: RouteDistributor;
  readonly roster: Roster;
  readonly unwritten: UnwrittenChanges;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly projects: ProjectDirectory;
  /** A change of the roster has written callbacks: they are looked for at once. */
  readonly callbacksDue: () => void;
  /** It keeps no session any more and will end. */
  readonly isLeaving: () => boolean;
  /** Connections of an earlier control are in the roster: their nodes are asked what they still run. */
  readonly takenUp: (connections: readonly ConnectionState[]) => void;
  /** A node has heard of a later keeper of a session than we are in that term. True when a higher term is to be tried. */
  readonly superseded: (session: SessionState, term: number) => Promise<boolean>;
  /** Wall clock, milliseconds since 1970. */
  readonly clockMs: () => number;
  readonly migrationMinAgeMs: number;
  readonly timings: Timings;
}
