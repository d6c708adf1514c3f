import { RTCP_TEXT_BYTES_MAX } from '../limits.js';
import { allocateRtcp, RTCP_HEADER_BYTES, RTCP_TYPE } from './header.js';
import type { RtcpFrame } from './header.js';

/** Source description (RFC 3550 6.5). Only CNAME is read and written: WebRTC uses nothing else. */
export interface SourceDescription {
  readonly type: 'sourceDescription';
  readonly chunks: readonly { readonly ssrc: number; readonly cname?: string }[];
}

const ITEM_END = 0;
const ITEM_CNAME = 1;

export function parseSourceDescription({ body, count }: RtcpFrame): SourceDescription | null {
  const chunks: { ssrc: number; cname?: string }[] = [];
  let at = 0;
  for (let index = 0; index < count; index += 1) {
    if (at + 4 > body.length) return null;
    const chunk: { ssrc: number; cname?: string } = { ssrc: body.readUInt32BE(at) };
    const end = readItems(body, at + 4, chunk);
    if (end === -1) return null;
    chunks.push(chunk);
    at = end;
  }
  return { type: 'sourceDescription', chunks };
}

/** Reads the items of one chunk; returns the offset of the next chunk, or -1 when malformed. */
function readItems(body: Buffer, from: number, chunk: { cname?: string }): number {
  let at = from;
  while (at < body.length) {
    const type = body.readUInt8(at);
    // The list ends with zeros up to the next 32-bit word.
    if (type === ITEM_END) return (at + 4) & ~3;
    if (at + 2 > body.length) return -1;
    const end = at + 2 + body.readUInt8(at + 1);
    if (end > body.length) return -1;
    if (type === ITEM_CNAME) chunk.cname ??= body.toString('utf8', at + 2, end);
    at = end;
  }
  return -1;
}

export function writeSourceDescription(description: SourceDescription): Buffer {
  const chunks = description.chunks.map(writeChunk);
  const bodyBytes = chunks.reduce((total, chunk) => total + chunk.length, 0);
  const packet = allocateRtcp(RTCP_TYPE.sourceDescription, chunks.length, bodyBytes);
  Buffer.concat(chunks).copy(packet, RTCP_HEADER_BYTES);
  return packet;
}

function writeChunk(chunk: SourceDescription['chunks'][number]): Buffer {
  const cname = Buffer.from(chunk.cname ?? '', 'utf8');
  if (cname.length > RTCP_TEXT_BYTES_MAX) throw new RangeError('the CNAME is too long');
  const itemBytes = chunk.cname === undefined ? 0 : 2 + cname.length;
  // At least one zero ends the items.
  const bytes = Buffer.alloc(4 + ((itemBytes + 4) & ~3));
  bytes.writeUInt32BE(chunk.ssrc, 0);
  if (itemBytes > 0) {
    bytes.writeUInt8(ITEM_CNAME, 4);
    bytes.writeUInt8(cname.length, 5);
    cname.copy(bytes, 6);
  }
  return bytes;
}
