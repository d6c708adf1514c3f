import { CANDIDATE_CHARS_MAX } from '../limits.js';
import { ipAddressToBytes } from '../stun/ip-address.js';
import type { AddressFamily } from '../stun/ip-address.js';

/** A UDP host candidate of component 1: all that an ICE-lite node with rtcp-mux has. */
export interface HostCandidate {
  readonly foundation: string;
  readonly priority: number;
  readonly address: string;
  readonly port: number;
  readonly family: AddressFamily;
}

/** A candidate of a peer (RFC 8839 5.1). */
export interface IceCandidate {
  readonly foundation: string;
  readonly component: number;
  /** Lower case: "udp" or "tcp". */
  readonly protocol: string;
  readonly priority: number;
  /** An IP address, or a host name (mDNS): then family is null. */
  readonly address: string;
  readonly port: number;
  readonly family: AddressFamily | null;
  /** "host", "srflx", "prflx" or "relay". */
  readonly type: string;
}

/** Recommended type preferences (RFC 8445 5.1.2.2). */
export const CANDIDATE_TYPE_PREFERENCE = {
  host: 126,
  peerReflexive: 110,
  serverReflexive: 100,
  relayed: 0,
} as const;
const COMPONENT_RTP = 1;

/** Priority of a candidate (RFC 8445 5.1.2.1); `localPreference` is 0..65535. */
export function candidatePriority(
  typePreference: number,
  localPreference: number,
  component: number = COMPONENT_RTP,
): number {
  return typePreference * 2 ** 24 + localPreference * 2 ** 8 + (256 - component);
}

/** The three parts of a priority. */
export function candidatePriorityParts(priority: number): {
  readonly typePreference: number;
  readonly localPreference: number;
  readonly component: number;
} {
  return {
    typePreference: Math.floor(priority / 2 ** 24),
    localPreference: Math.floor(priority / 2 ** 8) % 2 ** 16,
    component: 256 - (priority % 2 ** 8),
  };
}

/**
 * The text that addIceCandidate takes and, behind "a=", SDP. Throws RangeError on an address that is none of its
 * family: the caller's mistake.
 */
export function formatCandidate(candidate: HostCandidate): string {
  const { foundation, priority, address, port, family } = candidate;
  if (ipAddressToBytes(address, family) === null) throw new RangeError(`not an ${family} address`);
  if (!/^[A-Za-z0-9+/]{1,32}$/.test(foundation)) throw new RangeError('a foundation is 1 to 32 ice-chars');
  return `candidate:${foundation} ${COMPONENT_RTP} udp ${priority} ${address} ${port} typ host`;
}

const CANDIDATE =
  /^(?:a=)?candidate:([A-Za-z0-9+/]{1,32}) (\d{1,3}) (\w{1,16}) (\d{1,10}) (\S{1,253}) (\d{1,5}) typ (host|srflx|prflx|relay)(?: |$)/;

/** Null when the text is no candidate. Extensions (raddr, generation, tcptype …) are ignored. */
export function parseCandidate(text: string): IceCandidate | null {
  if (text.length > CANDIDATE_CHARS_MAX) return null;
  const match = CANDIDATE.exec(text);
  if (match === null) return null;
  const [
    ,
    foundation = '',
    component = '',
    protocol = '',
    priority = '',
    address = '',
    port = '',
    type = '',
  ] = match;
  if (Number(component) < 1 || Number(component) > 256) return null;
  if (Number(priority) > 0xffffffff || Number(port) > 0xffff) return null;
  return {
    foundation,
    component: Number(component),
    protocol: protocol.toLowerCase(),
    priority: Number(priority),
    address,
    port: Number(port),
    family: addressFamily(address),
    type,
  };
}

function addressFamily(address: string): AddressFamily | null {
  if (ipAddressToBytes(address, 'IPv4') !== null) return 'IPv4';
  return ipAddressToBytes(address, 'IPv6') === null ? null : 'IPv6';
}
