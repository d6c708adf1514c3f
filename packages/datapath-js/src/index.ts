import { randomInt } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Datapath, OnExceptions } from '@godwit/datapath';
import { JsDatapath } from './datapath.js';
import { openSystemSocket, type OpenUdpSocket } from './udp-socket.js';

export type { DatagramSource, OpenUdpSocket, UdpSocket, UdpSocketEvents } from './udp-socket.js';

/** What a datapath needs from outside. */
export interface CreateDatapathOptions {
  /** Gets what the datapath does not decide, at most once per turn of the event loop and EXCEPTION_BATCH_MAX each. */
  readonly onExceptions: OnExceptions;
  /** Monotonic clock, microseconds. Default: the process's. */
  readonly clockMicros?: () => number;
  /** Uniform integer in [min, max], both included. Default: cryptographically random. */
  readonly randomInteger?: (min: number, max: number) => number;
  /** Where sockets come from. Default: the operating system. */
  readonly openSocket?: OpenUdpSocket;
}

/** A datapath on node:dgram and node:crypto: runs wherever Node runs. */
export function createDatapath(options: CreateDatapathOptions): Datapath {
  return new JsDatapath({
    onExceptions: options.onExceptions,
    clockMicros: options.clockMicros ?? (() => performance.now() * 1000),
    randomInteger: options.randomInteger ?? ((min, max) => randomInt(min, max + 1)),
    openSocket: options.openSocket ?? openSystemSocket,
  });
}
