import type { Datapath } from '../port.js';
import type { OnExceptions, SrtpKeys } from '../values.js';

/** SRTP of a fake client, sending side: what @godwit/transport's SrtpSender offers. */
export interface ContractSrtpSender {
  protectRtp(buffer: Buffer, headerLength: number, length: number, index: number): number;
  protectRtcp(buffer: Buffer, length: number): number;
}
/** SRTP of a fake client, receiving side. */
export interface ContractSrtpReceiver {
  readonly lastIndex: number;
  unprotectRtp(buffer: Buffer, headerLength: number, length: number): number;
  unprotectRtcp(buffer: Buffer, length: number): number;
}

/**
 * What the suite is run with. SRTP comes from outside, because the package that implements it stands above this one.
 */
export interface DatapathHarness {
  createDatapath(options: { readonly onExceptions: OnExceptions }): Datapath;
  createSender(keys: SrtpKeys): ContractSrtpSender;
  createReceiver(keys: SrtpKeys): ContractSrtpReceiver;
}
