/** What a datagram on a WebRTC port is, by its first bytes. */
export type PacketClass = 'stun' | 'dtls' | 'rtp' | 'rtcp' | 'unknown';

/** Demultiplexes by the first byte (RFC 7983 7). `rtp` covers RTCP: isRtcp tells them apart. */
export function classify(firstByte: number): Exclude<PacketClass, 'rtcp'> {
  if (firstByte >= 128 && firstByte <= 191) return 'rtp';
  if (firstByte <= 3) return 'stun';
  if (firstByte >= 20 && firstByte <= 63) return 'dtls';
  return 'unknown';
}

/** True when an RTP or RTCP packet is RTCP: its second byte is 192..223 (RFC 5761 4). */
export function isRtcp(packet: Uint8Array): boolean {
  const packetType = packet[1] ?? 0;
  return packetType >= 192 && packetType <= 223;
}

/** Both steps at once. An empty datagram is `unknown`. */
export function classifyPacket(packet: Uint8Array): PacketClass {
  const firstByte = packet[0];
  if (firstByte === undefined) return 'unknown';
  const kind = classify(firstByte);
  return kind === 'rtp' && isRtcp(packet) ? 'rtcp' : kind;
}
