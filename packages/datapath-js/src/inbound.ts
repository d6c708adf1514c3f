import { DATAGRAM_BYTES_MAX, type Inbound } from '@godwit/datapath';
import { classify } from '@godwit/rtp';
import type { Core } from './core.js';
import type { HeldPacket } from './held-packets.js';
import type { Origin } from './origin.js';
import { receiveOwn } from './receive.js';
import type { SocketEntry } from './sockets.js';
import type { TransportEntry } from './transport-entry.js';
import type { DatagramSource } from './udp-socket.js';

/** A datagram on a socket of purpose `client`. */
export function receiveClientDatagram(
  core: Core,
  entry: SocketEntry,
  bytes: Buffer,
  from: DatagramSource,
): void {
  const { counters } = core;
  counters.packets_received += 1;
  counters.bytes_received += bytes.length;
  if (bytes.length > DATAGRAM_BYTES_MAX) {
    counters.dropped_oversize += 1;
    return;
  }
  const binding = core.remotes.find(entry, from.address, from.port);
  const kind = bytes.length === 0 ? 'unknown' : classify(bytes[0] ?? 0);
  if (binding !== null) {
    binding.earn(bytes.length, kind === 'stun');
    binding.heardAtDatagram = counters.packets_received;
  }
  switch (kind) {
    case 'rtp':
      if (binding === null) counters.dropped_unbound += 1;
      else receiveMediaDatagram(core, binding.transport, bytes, core.clockMicros(), binding);
      return;
    case 'stun':
    case 'dtls':
      passHandshake(core, entry, kind, bytes, from, binding?.transport ?? null);
      return;
    case 'unknown':
      counters.dropped_unclassified += 1;
  }
}

/** SRTP or SRTCP of a known transport, by whatever way it came. */
export function receiveMediaDatagram(
  core: Core,
  transport: TransportEntry,
  bytes: Buffer,
  arrivedAtMicros: number,
  origin: Origin,
): void {
  const { inbound } = transport;
  switch (inbound.kind) {
    case 'own':
      receiveOwn(core, transport, bytes, arrivedAtMicros, origin);
      return;
    case 'forward':
      forwardToOwner(core, transport, inbound, { bytes, arrivedAtMicros, origin });
      return;
    case 'hold':
      hold(core, transport, { bytes, arrivedAtMicros, origin });
      return;
    case 'drop':
      core.counters.dropped_inbound += 1;
  }
}

/** Changes what becomes of a client's packets; what was held is treated by the new rule first. */
export function changeInbound(core: Core, transport: TransportEntry, inbound: Inbound): void {
  transport.inbound = inbound;
  switch (inbound.kind) {
    case 'hold':
      return;
    case 'drop':
      transport.held.clear();
      return;
    case 'own':
    case 'forward':
      for (const { bytes, arrivedAtMicros, origin } of transport.held.take()) {
        receiveMediaDatagram(core, transport, bytes, arrivedAtMicros, origin);
      }
  }
}

/**
 * What came straight from the client goes to the owner. What another node had sent goes on marked as bounced, since
 * the two may have taken each other for the owner; a bounced packet waits here: never sent on again, no loops.
 */
function forwardToOwner(
  core: Core,
  transport: TransportEntry,
  { linkId, final = false, returning = false }: Extract<Inbound, { kind: 'forward' }>,
  packet: HeldPacket,
): void {
  const { origin } = packet;
  switch (origin.kind) {
    case 'socket':
    case 'link':
      core.links.sendFromClient(linkId, transport.idBytes, packet, final || origin.kind === 'link');
      return;
    case 'bounced':
      if (returning && origin.linkId === linkId)
        core.links.sendFromClient(linkId, transport.idBytes, packet, true);
      else hold(core, transport, packet);
  }
}

function hold(core: Core, transport: TransportEntry, packet: HeldPacket): void {
  if (transport.held.add(packet)) core.counters.held_packets += 1;
  else core.counters.held_overflow += 1;
}

function passHandshake(
  core: Core,
  entry: SocketEntry,
  kind: 'stun' | 'dtls',
  bytes: Buffer,
  from: DatagramSource,
  transport: TransportEntry | null,
): void {
  const remote = { address: from.address, port: from.port, family: entry.family };
  const common = { socket: entry.handle, remote, bytes, atMs: core.clockMicros() / 1000 };
  if (kind === 'stun') core.exceptions.push({ kind, ...common });
  else core.exceptions.push({ kind, ...common, transportId: transport?.id ?? null });
}
