/** Handshake message types used here (RFC 5246 7.4, RFC 6347 4.3.2). */
export const HANDSHAKE_TYPE = {
  clientHello: 1,
  certificate: 11,
  certificateVerify: 15,
  clientKeyExchange: 16,
  finished: 20,
} as const;

export const HANDSHAKE_HEADER_BYTES = 12;

/** A whole handshake message. */
export interface HandshakeMessage {
  readonly type: number;
  readonly messageSeq: number;
  readonly body: Buffer;
}

/** One fragment of a handshake message (RFC 6347 4.2.3). `bytes` is a view. */
export interface HandshakeFragment {
  readonly type: number;
  readonly length: number;
  readonly messageSeq: number;
  readonly offset: number;
  readonly bytes: Buffer;
}

/** The fragments of one handshake record; what does not parse ends it. */
export function splitFragments(record: Buffer): HandshakeFragment[] {
  const fragments: HandshakeFragment[] = [];
  let at = 0;
  while (at + HANDSHAKE_HEADER_BYTES <= record.length) {
    const length = record.readUIntBE(at + 1, 3);
    const offset = record.readUIntBE(at + 6, 3);
    const end = at + HANDSHAKE_HEADER_BYTES + record.readUIntBE(at + 9, 3);
    const bytes = record.subarray(at + HANDSHAKE_HEADER_BYTES, end);
    if (end > record.length || offset + bytes.length > length) break;
    fragments.push({
      type: record.readUInt8(at),
      length,
      messageSeq: record.readUInt16BE(at + 4),
      offset,
      bytes,
    });
    at = end;
  }
  return fragments;
}

/** The message in one fragment: also the form that enters the transcript (RFC 6347 4.2.6). */
export function writeHandshakeMessage(message: HandshakeMessage): Buffer {
  const header = Buffer.alloc(HANDSHAKE_HEADER_BYTES);
  header.writeUInt8(message.type, 0);
  header.writeUIntBE(message.body.length, 1, 3);
  header.writeUInt16BE(message.messageSeq, 4);
  header.writeUIntBE(message.body.length, 9, 3);
  return Buffer.concat([header, message.body]);
}
