/** A UDP datagram read from a capture. */
export interface CapturedDatagram {
  readonly atSeconds: number;
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
  readonly payload: Buffer;
}

const PCAP_MAGIC_MICROS = 0xa1b2c3d4;
const PCAP_MAGIC_NANOS = 0xa1b23c4d;
const LINK_TYPE_ETHERNET = 1;
const LINK_TYPE_LINUX_COOKED = 113;
const LINK_TYPE_LINUX_COOKED_2 = 276;

/** UDP datagrams of a classic pcap file (tcpdump -w), IPv4 and IPv6 without fragments or options it cannot skip. */
export function* readPcap(file: Buffer): Generator<CapturedDatagram> {
  const magic = file.readUInt32LE(0);
  const nanos = magic === PCAP_MAGIC_NANOS;
  if (!nanos && magic !== PCAP_MAGIC_MICROS) throw new Error('not a little-endian pcap file');
  const linkType = file.readUInt32LE(20);
  let offset = 24;
  while (offset + 16 <= file.length) {
    const atSeconds = file.readUInt32LE(offset) + file.readUInt32LE(offset + 4) / (nanos ? 1e9 : 1e6);
    const captured = file.readUInt32LE(offset + 8);
    const frame = file.subarray(offset + 16, offset + 16 + captured);
    offset += 16 + captured;
    const datagram = readFrame(frame, linkType);
    if (datagram !== null) yield { atSeconds, ...datagram };
  }
}

type Datagram = Omit<CapturedDatagram, 'atSeconds'>;

function readFrame(frame: Buffer, linkType: number): Datagram | null {
  switch (linkType) {
    case LINK_TYPE_ETHERNET:
      return readIp(frame.subarray(14));
    case LINK_TYPE_LINUX_COOKED:
      return readIp(frame.subarray(16));
    case LINK_TYPE_LINUX_COOKED_2:
      return readIp(frame.subarray(20));
    default:
      throw new Error(`unknown link type ${linkType}`);
  }
}

const PROTOCOL_UDP = 17;

function readIp(packet: Buffer): Datagram | null {
  const version = (packet[0] ?? 0) >> 4;
  if (version === 4 && packet[9] === PROTOCOL_UDP) {
    const headerBytes = ((packet[0] ?? 0) & 15) * 4;
    return readUdp(packet.subarray(headerBytes), ipv4(packet, 12), ipv4(packet, 16));
  }
  if (version === 6 && packet[6] === PROTOCOL_UDP) {
    return readUdp(packet.subarray(40), ipv6(packet, 8), ipv6(packet, 24));
  }
  return null;
}

function readUdp(udp: Buffer, source: string, destination: string): Datagram | null {
  if (udp.length < 8) return null;
  const length = udp.readUInt16BE(4);
  return {
    source,
    sourcePort: udp.readUInt16BE(0),
    destination,
    destinationPort: udp.readUInt16BE(2),
    payload: udp.subarray(8, length),
  };
}

function ipv4(packet: Buffer, offset: number): string {
  return [...packet.subarray(offset, offset + 4)].join('.');
}

function ipv6(packet: Buffer, offset: number): string {
  const groups = Array.from({ length: 8 }, (_, group) =>
    packet.readUInt16BE(offset + group * 2).toString(16),
  );
  return groups.join(':');
}
