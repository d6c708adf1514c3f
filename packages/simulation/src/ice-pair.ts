import type { IceCredentials } from '@godwit/protocol';
import type { ToldAddress } from './client-messages.js';

/** One address of a server, in one ICE generation, as a client checks it. */
export interface IcePair {
  readonly remote: ToldAddress;
  readonly server: IceCredentials;
  /** The client's own ufrag of that generation. */
  readonly localUfrag: string;
  readonly generation: number;
  nextCheckMs: number;
  checksSent: number;
  /** When the oldest check was sent that has had no answer since; null when all were answered. */
  unansweredSinceMs: number | null;
  isAnswered: boolean;
  /** USE-CANDIDATE goes with every check until one is answered. */
  isNominating: boolean;
}

export function newPair(
  remote: ToldAddress,
  server: IceCredentials,
  localUfrag: string,
  generation: number,
): IcePair {
  return {
    remote,
    server,
    localUfrag,
    generation,
    nextCheckMs: 0,
    checksSent: 0,
    unansweredSinceMs: null,
    isAnswered: false,
    isNominating: false,
  };
}

const CANDIDATE = /candidate:\S+ 1 udp (\d+) (\S+) (\d+) typ host/gi;

/** The addresses that a description or a candidate names. */
export function addressesIn(text: string): ToldAddress[] {
  return Array.from(text.matchAll(CANDIDATE), ([, priority, address, port]) => ({
    address: address ?? '',
    port: Number(port),
    priority: Number(priority),
  }));
}

/** The ICE credentials of a description. */
export function credentialsIn(sdp: string): IceCredentials | null {
  const ufrag = /a=ice-ufrag:(\S+)/.exec(sdp)?.[1];
  const pwd = /a=ice-pwd:(\S+)/.exec(sdp)?.[1];
  return ufrag === undefined || pwd === undefined ? null : { ufrag, pwd };
}
