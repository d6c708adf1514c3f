import type { Counters } from './counters.js';
import type { ExceptionQueue } from './exceptions.js';
import type { LinkTable } from './links.js';
import type { RemoteTable } from './remotes.js';
import type { SendSlab } from './send-slab.js';
import type { SocketTable } from './sockets.js';
import type { StreamTable } from './stream.js';
import type { TransportTable } from './transports.js';

/** The parts of one datapath, as its functions share them. */
export interface Core {
  /** Monotonic, microseconds. */
  readonly clockMicros: () => number;
  /** Uniform integer in [min, max], both included. */
  readonly randomInteger: (min: number, max: number) => number;
  readonly counters: Counters;
  readonly exceptions: ExceptionQueue;
  readonly sockets: SocketTable;
  readonly slab: SendSlab;
  readonly remotes: RemoteTable;
  readonly transports: TransportTable;
  readonly streams: StreamTable;
  readonly links: LinkTable;
}
