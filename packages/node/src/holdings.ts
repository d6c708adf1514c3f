import type { MoveTable } from './handover/move-table.js';
import type { NodeContext } from './node-context.js';

/** What a node holds now, by name. Every value is bounded by a limit; one that grows without load is a leak. */
export function holdingsOf(context: NodeContext, moves: MoveTable): Record<string, number> {
  const roles = { owner: 0, target: 0, relay: 0 };
  for (const { role } of context.transports.values()) roles[role.name] += 1;
  const { streams, accepted } = context.streams.size;
  const datapath = Object.entries(context.datapath.sizes()).map(([name, size]) => [`datapath_${name}`, size]);
  return {
    transports_owned: roles.owner,
    transports_prepared: roles.target,
    transports_relayed: roles.relay,
    ufrags: context.transports.ufrags,
    moves_as_source: moves.size.sources,
    moves_as_target: moves.size.targets,
    moves_running: moves.running,
    streams,
    accepted_ingresses: accepted,
    links: context.links.size,
    ...(Object.fromEntries(datapath) as Record<string, number>),
  };
}
