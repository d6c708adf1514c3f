import {
  PROOF_LIFETIME_MS,
  UNPROVEN_ALLOWANCE_BYTES_MAX,
  UNPROVEN_AMPLIFICATION_MAX,
  type PathId,
  type RemoteAddress,
  type SocketHandle,
} from '@godwit/datapath';
import { HeldCiphertext } from './held-ciphertext.js';
import type { SocketEntry } from './sockets.js';
import type { TransportEntry } from './transport-entry.js';

const PROOF_LIFETIME_MICROS = PROOF_LIFETIME_MS * 1_000;

/** One remote address of one transport, from which a valid check came. */
export class Binding {
  readonly kind = 'socket';
  readonly pathId: PathId;
  readonly transport: TransportEntry;
  readonly entry: SocketEntry;
  readonly remote: RemoteAddress;
  /** When authenticated SRTP or SRTCP last came from it, here or by the owner's word. */
  provenAtMicros = Number.NEGATIVE_INFINITY;
  /** How many datagrams this datapath had received when one last came from it: a clock that costs nothing. */
  heardAtDatagram: number;
  /** Bytes that may be sent to it unproven. */
  #allowance = 0;
  readonly #held = new HeldCiphertext();

  constructor(
    pathId: PathId,
    transport: TransportEntry,
    entry: SocketEntry,
    remote: RemoteAddress,
    heardAtDatagram: number,
  ) {
    this.heardAtDatagram = heardAtDatagram;
    this.pathId = pathId;
    this.transport = transport;
    this.entry = entry;
    this.remote = { address: remote.address, port: remote.port, family: remote.family };
  }

  get socket(): SocketHandle {
    return this.entry.handle;
  }

  isProven(nowMicros: number): boolean {
    return nowMicros - this.provenAtMicros < PROOF_LIFETIME_MICROS;
  }

  /** Bytes came from it. A STUN request has its answer, which is never larger, for free: so it earns one part less. */
  earn(bytes: number, isStun: boolean): void {
    const factor = isStun ? UNPROVEN_AMPLIFICATION_MAX - 1 : UNPROVEN_AMPLIFICATION_MAX;
    this.#allowance = Math.min(UNPROVEN_ALLOWANCE_BYTES_MAX, this.#allowance + factor * bytes);
  }

  /** True when so many bytes may be sent to it. */
  spend(bytes: number, nowMicros: number): boolean {
    if (this.isProven(nowMicros)) return true;
    if (bytes > this.#allowance) return false;
    this.#allowance -= bytes;
    return true;
  }

  /** Keeps ciphertext that may not be sent yet. False when there is no room. */
  hold(bytes: Buffer, nowMicros: number): boolean {
    return this.#held.add(bytes, nowMicros);
  }

  /** What was held and is still of use, in order. */
  takeHeld(nowMicros: number): readonly Buffer[] {
    return this.#held.take(nowMicros);
  }

  get isHolding(): boolean {
    return this.#held.size > 0;
  }
}

/** Which transport a datagram belongs to, by socket and remote address. */
export class RemoteTable {
  readonly #sockets = new Map<SocketEntry, Map<string, Map<number, Binding>>>();
  #last: Binding | null = null;
  #lastPathId = 0;

  /** From 1 to 2^32 - 1. */
  nextPathId(): PathId {
    this.#lastPathId = (this.#lastPathId % 0xffff_ffff) + 1;
    return this.#lastPathId;
  }

  find(entry: SocketEntry, address: string, port: number): Binding | null {
    const last = this.#last;
    if (
      last !== null &&
      last.remote.port === port &&
      last.entry === entry &&
      last.remote.address === address
    ) {
      return last;
    }
    const found = this.#sockets.get(entry)?.get(address)?.get(port) ?? null;
    if (found !== null) this.#last = found;
    return found;
  }

  /** Takes the place of a binding of the same address. */
  add(binding: Binding): void {
    const { entry, remote } = binding;
    let addresses = this.#sockets.get(entry);
    if (addresses === undefined) this.#sockets.set(entry, (addresses = new Map()));
    let ports = addresses.get(remote.address);
    if (ports === undefined) addresses.set(remote.address, (ports = new Map()));
    ports.set(remote.port, binding);
    this.#last = null;
  }

  remove(binding: Binding): void {
    const { entry, remote } = binding;
    const addresses = this.#sockets.get(entry);
    const ports = addresses?.get(remote.address);
    if (addresses === undefined || ports?.get(remote.port) !== binding) return;
    ports.delete(remote.port);
    if (ports.size === 0) addresses.delete(remote.address);
    if (addresses.size === 0) this.#sockets.delete(entry);
    this.#last = null;
  }
}
