import type { Path, PathId } from '@godwit/datapath';
import { isSamePair } from '@godwit/transport';
import type { Core } from './core.js';
import type { Binding } from './remotes.js';
import type { ResolvedPath, TransportEntry } from './transport-entry.js';

type SocketPath = Extract<ResolvedPath, { kind: 'socket' }>;

/** Throws on an unknown socket. A link may come and go: without it packets are counted and dropped. */
export function resolvePaths(core: Core, paths: readonly Path[]): ResolvedPath[] {
  return paths.map((path) => {
    if (path.kind === 'link')
      return { kind: 'link', linkId: path.linkId, provenPathId: path.provenPathId ?? 0 };
    const { socket, proven: isProven } = path;
    const { address, port, family } = path.remote;
    return {
      kind: 'socket',
      socket,
      entry: core.sockets.get(socket),
      remote: { address, port, family },
      isProven,
    };
  });
}

/** The same ciphertext on every path. `bytes` must stay as they are until sent. */
export function sendCiphertext(core: Core, transport: TransportEntry, bytes: Buffer): void {
  const { paths } = transport;
  for (let at = 0; at < paths.length; at += 1) {
    const path = paths[at];
    if (path === undefined) continue;
    if (path.kind === 'socket') sendOnSocket(core, path, bytes);
    else core.links.sendToClient(path.linkId, transport.idBytes, bytes, path.provenPathId);
  }
}

/**
 * Ciphertext that the owner gave us for a client whose path is here. Never to another link: no loops. The address that
 * the owner says is proven gets it in any case: our own message of the proof may be overtaken by a burst of ciphertext,
 * and what we take for the client's address comes from checks, which can be replayed.
 */
export function sendFromOwner(
  core: Core,
  transport: TransportEntry,
  bytes: Buffer,
  provenPathId: PathId,
): void {
  const proven = provenPathId === 0 ? null : findPath(transport, provenPathId);
  if (proven !== null) {
    prove(core, proven, core.clockMicros());
    core.sockets.send(proven.entry, bytes, proven.remote.port, proven.remote.address);
  }
  for (const path of transport.paths) {
    if (path.kind !== 'socket' || (proven !== null && isSamePair(path, proven))) continue;
    sendOnSocket(core, path, bytes);
  }
}

/** Null when the address is not bound any more. */
export function findPath(transport: TransportEntry, pathId: PathId): Binding | null {
  for (const binding of transport.bindings) if (binding.pathId === pathId) return binding;
  return null;
}

/**
 * Forgets the address that was not heard for longest. Checks from forged addresses do not push out the one that was proven
 * last; and those that were proven long ago do not push out the one that the client is just coming by, which has proven
 * nothing yet.
 */
export function evictBinding(core: Core, transport: TransportEntry): void {
  const { bindings } = transport;
  const lastProven = bindings.reduce((last, binding) =>
    binding.provenAtMicros > last.provenAtMicros ? binding : last,
  );
  let longest: Binding | null = null;
  for (const binding of bindings) {
    if (binding === lastProven && Number.isFinite(binding.provenAtMicros)) continue;
    if (longest === null || binding.heardAtDatagram < longest.heardAtDatagram) longest = binding;
  }
  if (longest === null) return;
  core.remotes.remove(longest);
  transport.bindings = bindings.filter((binding) => binding !== longest);
}

/** The binding is of a transport that sends there, or was proven lately: no other transport may have it. */
export function isInUse(binding: Binding, nowMicros: number): boolean {
  if (binding.isProven(nowMicros)) return true;
  return (
    Number.isFinite(binding.provenAtMicros) &&
    binding.transport.paths.some((path) => path.kind === 'socket' && isSamePair(path, binding))
  );
}

/** Authenticated media has come from this address, here or by the owner's word: it gets what was held for it. */
export function prove(core: Core, binding: Binding, atMicros: number): void {
  binding.provenAtMicros = atMicros;
  if (binding.isHolding) sendHeld(core, binding);
}

/** Of a path that is proven by what we were told, too. */
export function sendHeldOn(core: Core, transport: TransportEntry, paths: readonly ResolvedPath[]): void {
  for (const path of paths) {
    if (path.kind !== 'socket' || !path.isProven) continue;
    for (const binding of transport.bindings) {
      if (binding.isHolding && isSamePair(path, binding)) sendHeld(core, binding);
    }
  }
}

function sendHeld(core: Core, binding: Binding): void {
  const { entry, remote } = binding;
  for (const bytes of binding.takeHeld(core.clockMicros())) {
    core.sockets.send(entry, bytes, remote.port, remote.address);
  }
}

function sendOnSocket(core: Core, path: SocketPath, bytes: Buffer): void {
  if (!path.isProven && !takeAllowance(core, path, bytes)) return;
  core.sockets.send(path.entry, bytes, path.remote.port, path.remote.address);
}

/** What goes beyond an unproven address's allowance is kept for the moment of its proof. */
function takeAllowance(core: Core, path: SocketPath, bytes: Buffer): boolean {
  const nowMicros = core.clockMicros();
  const binding = core.remotes.find(path.entry, path.remote.address, path.remote.port);
  if (binding?.spend(bytes.length, nowMicros) === true) return true;
  if (binding?.hold(bytes, nowMicros) === true) core.counters.held_unproven += 1;
  else core.counters.dropped_unproven += 1;
  return false;
}
