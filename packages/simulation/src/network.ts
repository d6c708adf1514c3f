import type { OpenUdpSocket, UdpSocketEvents } from '@godwit/datapath-js';
import type { SimProcess } from './process.js';
import type { World } from './world.js';

/** What happens to what one process sends another. */
export interface Conditions {
  /** Nothing passes. */
  isCut: boolean;
  /** Probability that a datagram is lost; a byte stream waits for its repetition instead. */
  loss: number;
  /** Probability that a datagram comes twice. */
  duplicate: number;
  delayMs: number;
  /** Added to the delay, uniformly: what is sent close together may be overtaken. */
  jitterMs: number;
}

/** A network that loses nothing: a data centre, or a client near it. */
export const GOOD_CONDITIONS: Readonly<Conditions> = {
  isCut: false,
  loss: 0,
  duplicate: 0,
  delayMs: 0.5,
  jitterMs: 0.5,
};

interface Endpoint {
  readonly process: SimProcess;
  readonly events: Pick<UdpSocketEvents, 'onDatagram'>;
}

/** Sees every datagram that somebody puts on the wire, even one that the network then loses. */
export type WireTap = (from: SimProcess, to: SimProcess | null, bytes: Buffer, port: number) => void;

const PROCESS_NUMBERS_MAX = 256;
const FIRST_PORT = 10_000;

/** The wires between processes: UDP by address, and the conditions of every pair and direction. */
export class Network {
  readonly #world: World;
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #conditions = new Map<number, Conditions>();
  #defaults: Conditions = { ...GOOD_CONDITIONS };
  tap: WireTap = () => undefined;
  #nextPort = FIRST_PORT;

  constructor(world: World) {
    this.#world = world;
  }

  conditions(from: SimProcess, to: SimProcess): Conditions {
    const pair = from.number * PROCESS_NUMBERS_MAX + to.number;
    let conditions = this.#conditions.get(pair);
    if (conditions === undefined) {
      conditions = { ...this.#defaults };
      this.#conditions.set(pair, conditions);
    }
    return conditions;
  }

  /** Both directions. */
  cut(a: SimProcess, b: SimProcess, isCut: boolean): void {
    this.conditions(a, b).isCut = isCut;
    this.conditions(b, a).isCut = isCut;
  }

  /** All wires are like this from now on. */
  setAll(conditions: Readonly<Conditions>): void {
    this.#defaults = { ...conditions };
    this.#conditions.clear();
  }

  delayMs({ delayMs, jitterMs }: Conditions): number {
    return delayMs + (jitterMs > 0 ? this.#world.random.unit() * jitterMs : 0);
  }

  /** Where the sockets of one process come from. */
  socketsOf(process: SimProcess): OpenUdpSocket {
    return ({ address, port: wanted }, events) => {
      const port = wanted === 0 ? this.#nextPort++ : wanted;
      const key = `${address}:${port}`;
      if (this.#endpoints.has(key)) return Promise.reject(new Error(`EADDRINUSE ${key}`));
      this.#endpoints.set(key, { process, events });
      return Promise.resolve({
        address,
        port,
        send: (bytes, toPort, toAddress) => {
          this.#send(process, { address, port }, toAddress, toPort, bytes);
        },
        queued: () => 0,
        close: () => {
          this.#endpoints.delete(key);
          return Promise.resolve();
        },
      });
    };
  }

  /** The sockets of a dead process are gone. */
  closeAllOf(process: SimProcess): void {
    for (const [key, endpoint] of this.#endpoints) {
      if (endpoint.process === process) this.#endpoints.delete(key);
    }
  }

  #send(
    process: SimProcess,
    from: { readonly address: string; readonly port: number },
    toAddress: string,
    toPort: number,
    bytes: Uint8Array,
  ): void {
    const { random, trace } = this.#world;
    const endpoint = this.#endpoints.get(`${toAddress}:${toPort}`);
    trace.mix(from.port * 0x1000000 + toPort * 64 + (bytes.length & 63));
    // The sender may use its buffer again.
    const copy = Buffer.from(bytes);
    this.tap(process, endpoint?.process ?? null, copy, toPort);
    if (endpoint === undefined) return;
    const conditions = this.conditions(process, endpoint.process);
    if (conditions.isCut || (conditions.loss > 0 && random.chance(conditions.loss))) return;
    this.#deliver(endpoint, from, copy, this.delayMs(conditions));
    if (conditions.duplicate > 0 && random.chance(conditions.duplicate)) {
      this.#deliver(endpoint, from, Buffer.from(copy), this.delayMs(conditions));
    }
  }

  #deliver(
    { process, events }: Endpoint,
    from: { readonly address: string; readonly port: number },
    bytes: Buffer,
    delayMs: number,
  ): void {
    this.#world.afterIn(process, delayMs, () => {
      events.onDatagram(bytes, from);
    });
  }
}
