import type { StreamKey } from '@godwit/datapath';

/** What the routers of two nodes tell each other about a relayed stream. */
export type PeerMessage =
  | { readonly kind: 'keyFrameRequest'; readonly stream: StreamKey }
  /** The publisher's clock pair (RFC 3550 6.4.1), for lip sync at the subscribers of another node. */
  | {
      readonly kind: 'senderReport';
      readonly stream: StreamKey;
      readonly ntpSeconds: number;
      readonly ntpFraction: number;
      readonly rtpTimestamp: number;
    };

/** First byte of a link message that carries one. */
export const PEER_MESSAGE_CLASS = 3;
const KEY_FRAME_REQUEST = 0;
const SENDER_REPORT = 1;
const KEY_BYTES = 11;
const SENDER_REPORT_BYTES = KEY_BYTES + 12;

export function encodePeerMessage(message: PeerMessage): Buffer {
  const out = Buffer.alloc(message.kind === 'senderReport' ? SENDER_REPORT_BYTES : KEY_BYTES);
  out[0] = PEER_MESSAGE_CLASS;
  out[1] = message.kind === 'senderReport' ? SENDER_REPORT : KEY_FRAME_REQUEST;
  out.write(message.stream.streamId, 2, 'hex');
  out[10] = message.stream.encodingId;
  if (message.kind === 'senderReport') {
    out.writeUInt32BE(message.ntpSeconds, 11);
    out.writeUInt32BE(message.ntpFraction, 15);
    out.writeUInt32BE(message.rtpTimestamp, 19);
  }
  return out;
}

/** Null for anything malformed. */
export function decodePeerMessage(bytes: Buffer): PeerMessage | null {
  if (bytes.length < KEY_BYTES || bytes[0] !== PEER_MESSAGE_CLASS) return null;
  const stream: StreamKey = { streamId: bytes.toString('hex', 2, 10), encodingId: bytes.readUInt8(10) };
  if (bytes[1] === KEY_FRAME_REQUEST && bytes.length === KEY_BYTES)
    return { kind: 'keyFrameRequest', stream };
  if (bytes[1] === SENDER_REPORT && bytes.length === SENDER_REPORT_BYTES) {
    return {
      kind: 'senderReport',
      stream,
      ntpSeconds: bytes.readUInt32BE(11),
      ntpFraction: bytes.readUInt32BE(15),
      rtpTimestamp: bytes.readUInt32BE(19),
    };
  }
  return null;
}
