/** Text of IP addresses to bytes and back, without node:net: this package does no I/O. */

export type AddressFamily = 'IPv4' | 'IPv6';

const IPV4_BYTES = 4;
const IPV6_BYTES = 16;
const IPV6_GROUPS = 8;

/** 4 or 16 bytes; null when the text is no address. A zone ("%eth0") is ignored. */
export function ipAddressToBytes(address: string, family: AddressFamily): Buffer | null {
  return family === 'IPv4' ? ipv4ToBytes(address) : ipv6ToBytes(address.split('%', 1)[0] ?? '');
}

/** Text of 4 or 16 bytes; IPv6 in its canonical form (RFC 5952 4). */
export function bytesToIpAddress(bytes: Uint8Array): string {
  if (bytes.length === IPV4_BYTES) return bytes.join('.');
  if (bytes.length !== IPV6_BYTES) throw new RangeError('an IP address has 4 or 16 bytes');
  const groups: number[] = [];
  for (let at = 0; at < IPV6_BYTES; at += 2) groups.push(((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0));
  const zeros = longestZeroRun(groups);
  const hex = groups.map((group) => group.toString(16));
  if (zeros.length < 2) return hex.join(':');
  return `${hex.slice(0, zeros.start).join(':')}::${hex.slice(zeros.start + zeros.length).join(':')}`;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  groups.forEach((group, index) => {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start };
  });
  return best;
}

function ipv4ToBytes(address: string): Buffer | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address);
  if (match === null) return null;
  const octets = match.slice(1).map(Number);
  return octets.every((octet) => octet <= 255) ? Buffer.from(octets) : null;
}

function ipv6ToBytes(address: string): Buffer | null {
  const halves = address.split('::');
  if (halves.length > 2) return null;
  const head = groupsToBytes(halves[0] ?? '', halves.length === 1);
  if (halves.length === 1) return head?.length === IPV6_BYTES ? head : null;
  const tail = groupsToBytes(halves[1] ?? '', true);
  if (head === null || tail === null || head.length + tail.length > IPV6_BYTES - 2) return null;
  return Buffer.concat([head, Buffer.alloc(IPV6_BYTES - head.length - tail.length), tail]);
}

function groupsToBytes(text: string, mayEndInIpv4: boolean): Buffer | null {
  if (text === '') return Buffer.alloc(0);
  const groups = text.split(':');
  if (groups.length > IPV6_GROUPS) return null;
  const bytes: number[] = [];
  for (const [index, group] of groups.entries()) {
    const ipv4 = mayEndInIpv4 && index === groups.length - 1 ? ipv4ToBytes(group) : null;
    if (ipv4 !== null) bytes.push(...ipv4);
    else if (/^[0-9a-fA-F]{1,4}$/.test(group))
      bytes.push(parseInt(group, 16) >>> 8, parseInt(group, 16) & 0xff);
    else return null;
  }
  return Buffer.from(bytes);
}
