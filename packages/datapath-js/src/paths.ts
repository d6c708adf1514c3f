import { UNPROVEN_AMPLIFICATION_MAX, type Path } from '@godwit/datapath';
import type { Core } from './core.js';
import type { ResolvedPath, TransportEntry } from './transport-entry.js';

type SocketPath = Extract<ResolvedPath, { kind: 'socket' }>;

/** Throws on an unknown socket. A link may come and go: without it packets are counted and dropped. */
export function resolvePaths(core: Core, paths: readonly Path[]): ResolvedPath[] {
  return paths.map((path) => {
    if (path.kind === 'link') return { kind: 'link', linkId: path.linkId, isProven: path.proven === true };
    const { address, port } = path.remote;
    return { kind: 'socket', entry: core.sockets.get(path.socket), address, port, isProven: path.proven };
  });
}

/** The same ciphertext on every path. `bytes` must stay as they are until sent. */
export function sendCiphertext(core: Core, transport: TransportEntry, bytes: Buffer): void {
  const { paths } = transport;
  for (let at = 0; at < paths.length; at += 1) {
    const path = paths[at];
    if (path === undefined) continue;
    if (path.kind === 'socket') sendOnSocket(core, path, bytes);
    else core.links.sendToClient(path.linkId, transport.idBytes, bytes, path.isProven);
  }
}

/**
 * Ciphertext that the owner gave us for a client whose path is here. Never to another link: no loops. The owner's word
 * that the path is proven counts: ours comes in a message that a burst of ciphertext may overtake.
 */
export function sendFromOwner(core: Core, transport: TransportEntry, bytes: Buffer, isProven: boolean): void {
  for (const path of transport.paths) {
    if (path.kind !== 'socket') continue;
    if (isProven) core.sockets.send(path.entry, bytes, path.port, path.address);
    else sendOnSocket(core, path, bytes);
  }
}

function sendOnSocket(core: Core, path: SocketPath, bytes: Buffer): void {
  if (!path.isProven && !takeAllowance(core, path, bytes.length)) {
    core.counters.dropped_unproven += 1;
    return;
  }
  core.sockets.send(path.entry, bytes, path.port, path.address);
}

function takeAllowance(core: Core, path: SocketPath, length: number): boolean {
  const binding = core.remotes.find(path.entry, path.address, path.port);
  if (binding === null) return false;
  if (binding.isProven) return true;
  const sent = binding.bytesSentUnproven + length;
  if (sent > binding.bytesReceived * UNPROVEN_AMPLIFICATION_MAX) return false;
  binding.bytesSentUnproven = sent;
  return true;
}
