import type { TransportRecord } from '@godwit/storage';
import { holdersOf } from './invariants.js';
import type { Operator } from './operator.js';
import type { Platform } from './platform.js';
import { missingOf } from './reception.js';
import { Violation } from './violation.js';

/** A client that is told by restarts cannot be rehearsed. */
const CALM_OUTCOMES = new Set(['completed', 'rehearsed', 'failed: no-fresh-address, rehearsing']);

/** The client may not hear of the path in time, or control not hear that it has been proven. */
const ROUGH_OUTCOMES = new Set([...CALM_OUTCOMES, 'failed: path-not-proven', 'failed: cancelled']);

const isLive = ({ endedAtMs }: { readonly endedAtMs: number | null }): boolean => endedAtMs === null;

/** What keeps the platform from being whole again; null when nothing does. */
export function unsettled(platform: Platform): string | null {
  const { clients, control, tables, world } = platform;
  if (control?.isReady !== true) return 'control is away';
  if (platform.liveNodes.length < platform.nodes.length) return 'a node is away';
  if (platform.liveNodes.some(({ link }) => !link.isRegistered)) return 'a node is not registered';
  if (platform.openMigrations > 0) return 'a migration runs';
  for (const client of clients) {
    const { transportId } = client;
    if (transportId === null || !client.isConnected) return `${client.process.name} is not connected`;
    const record = tables.transports.get(transportId);
    if (record === undefined || !isLive(record)) return `${client.process.name} has no live transport`;
    if (record.intent !== null) return `the move of ${world.trace.nameOf('t', transportId)} has not ended`;
  }
  return null;
}

/** Streams that do not flow since `sinceMs`, as "receiver from publisher". */
export function silentPairs(platform: Platform, sinceMs: number): string[] {
  const { clients } = platform;
  return clients.flatMap((receiver) =>
    clients.flatMap((publisher) => {
      if (publisher === receiver || publisher.publishSsrc === null) return [];
      const reception = receiver.receptions.of(publisher.publishSsrc);
      const flows = reception !== undefined && reception.lastAtMs >= sinceMs;
      return flows ? [] : [`${receiver.process.name} from ${publisher.process.name}`];
    }),
  );
}

/** Control's record and the nodes agree about every transport, and each has one owner. */
export function checkOwners(platform: Platform): void {
  for (const record of platform.tables.transports.values()) {
    const name = platform.world.trace.nameOf('t', record.transportId);
    const holders = holdersOf(platform, record.transportId);
    if (!isLive(record)) {
      if (holders.length > 0) throw new Violation('nothing-left-behind', `${name} has ended and is owned`);
      continue;
    }
    checkOwner(platform, record, name);
  }
}

function checkOwner(platform: Platform, record: TransportRecord, name: string): void {
  const holders = holdersOf(platform, record.transportId);
  const text = holders.map(({ node, epoch }) => `${node.nodeId} epoch ${epoch}`).join(', ');
  const [only] = holders;
  if (only === undefined || holders.length > 1) {
    throw new Violation('one-owner-at-last', `${name} is owned by ${text === '' ? 'nobody' : text}`);
  }
  const inMemory = platform.control?.context.roster.byTransport(record.transportId)?.transport;
  const recorded = `${record.ownerNodeId} epoch ${record.epoch}`;
  const remembered = `${inMemory?.ownerNodeId ?? 'nobody'} epoch ${inMemory?.epoch ?? '?'}`;
  if (recorded !== text || remembered !== text) {
    throw new Violation(
      'record-agrees',
      `${name}: the node says ${text}, the row ${recorded}, control ${remembered}`,
    );
  }
}

/** After all lingering: no move, no relay, no open intent. */
export function checkNothingLeft(platform: Platform): void {
  for (const { core, process } of platform.liveNodes) {
    const { sources, targets } = core.moves.size;
    const size = sources + targets;
    if (size > 0) throw new Violation('nothing-left-behind', `${process.name} remembers ${size} moves`);
    for (const host of core.context.transports.values()) {
      const name = platform.world.trace.nameOf('t', host.transportId);
      if (host.role.name !== 'owner')
        throw new Violation('nothing-left-behind', `${process.name} is a ${host.role.name} of ${name}`);
      if (!core.context.datapath.hasTransport(host.transportId))
        throw new Violation('nothing-left-behind', `${process.name} has lost the keys of ${name}`);
    }
  }
  for (const record of platform.tables.transports.values()) {
    if (isLive(record) && record.intent !== null)
      throw new Violation(
        'nothing-left-behind',
        `${platform.world.trace.nameOf('t', record.transportId)} is still moving`,
      );
  }
  for (const connection of platform.control?.context.roster.connections() ?? []) {
    if (connection.transport?.upcomingOwner != null)
      throw new Violation('nothing-left-behind', 'control still expects an owner');
  }
}

/** With a network that lost nothing and processes that lived. */
export function checkLossless(platform: Platform, operator: Operator): void {
  const { clients } = platform;
  for (const receiver of clients) {
    for (const publisher of clients) {
      if (publisher === receiver || publisher.publishSsrc === null) continue;
      const reception = receiver.receptions.of(publisher.publishSsrc);
      const who = `${receiver.process.name} from ${publisher.process.name}`;
      if (reception === undefined) throw new Violation('media-flows', who);
      const missing = missingOf(reception, publisher.lastSent);
      if (missing.length > 0) {
        const sent = missing
          .slice(0, 5)
          .map((counter) => `${counter} of ${publisher.sentAtMs(counter).toFixed(3)} ms`);
        throw new Violation('nothing-lost', `${who}: ${missing.length} packets: ${sent.join(', ')}`);
      }
      if (reception.doubled > 0)
        throw new Violation('nothing-doubled', `${who}: ${reception.doubled} packets`);
    }
  }
  checkOutcomes(operator, CALM_OUTCOMES, 'without faults');
}

/** With a network that loses, doubles and reorders, and nothing else: what is lost is said again, until it is heard. */
export function checkRoughOutcomes(operator: Operator): void {
  checkOutcomes(operator, ROUGH_OUTCOMES, 'on a rough network');
}

function checkOutcomes(operator: Operator, allowed: ReadonlySet<string>, when: string): void {
  for (const outcome of operator.outcomes()) {
    if (!allowed.has(outcome)) throw new Violation('moves-end', `a move ${when} ended ${outcome}`);
  }
}
