import { STATE_BYTES_MAX, STATE_HEADER_BYTES_MAX } from '../limits.js';
import { ByteReader } from './bytes.js';
import type { PortableTransport, StateRefusal } from './portable-transport.js';
import { decodeSchema1, encodeSchema1, type EncodedState } from './schema-1.js';

/** "GDWT", schema (16 bits), bytes of the JSON header (32 bits), header, body. */
const MAGIC = 0x47445754;
const PREAMBLE_BYTES = 10;

/** Writes and reads one layout. */
export interface SchemaCodec {
  readonly encode: (state: PortableTransport) => EncodedState;
  readonly decode: (json: unknown, body: ByteReader) => PortableTransport | 'invalidHeader' | 'invalidBody';
}
/** Which layouts a version knows: the newest and the one before (HANDOVER 4). */
export type SchemaCodecs = ReadonlyMap<number, SchemaCodec>;
/** One entry for each of STATE_SCHEMAS. */
export const CODECS: SchemaCodecs = new Map([[1, { encode: encodeSchema1, decode: decodeSchema1 }]]);

export type DecodedState =
  | { readonly ok: true; readonly state: PortableTransport }
  | { readonly ok: false; readonly reason: StateRefusal };

/**
 * The state as bytes in the given layout. They hold keys: seal them and zero them. Throws when this version does not
 * write that layout, or when the state breaks the bounds of it.
 */
export function encodePortableTransport(
  state: PortableTransport,
  schema: number,
  codecs: SchemaCodecs = CODECS,
): Buffer {
  const codec = codecs.get(schema);
  if (codec === undefined) throw new RangeError(`state schema ${schema} is not one of this version`);
  const { header, body } = codec.encode(state);
  const json = Buffer.from(JSON.stringify(header), 'utf8');
  const preamble = Buffer.alloc(PREAMBLE_BYTES);
  preamble.writeUInt32BE(MAGIC, 0);
  preamble.writeUInt16BE(schema, 4);
  preamble.writeUInt32BE(json.length, 6);
  const bytes = Buffer.concat([preamble, json, ...body]);
  if (bytes.length > STATE_BYTES_MAX) throw new RangeError('the state is too large');
  return bytes;
}

/** Takes bytes of any origin, never throws. The result holds copies: zero `bytes` afterwards. */
export function decodePortableTransport(bytes: Buffer, codecs: SchemaCodecs = CODECS): DecodedState {
  if (bytes.length > STATE_BYTES_MAX) return refused('tooLarge');
  if (bytes.length < PREAMBLE_BYTES || bytes.readUInt32BE(0) !== MAGIC) return refused('notAState');
  const codec = codecs.get(bytes.readUInt16BE(4));
  if (codec === undefined) return refused('unsupportedSchema');
  const headerBytes = bytes.readUInt32BE(6);
  const bodyAt = PREAMBLE_BYTES + headerBytes;
  if (headerBytes > STATE_HEADER_BYTES_MAX || bodyAt > bytes.length) return refused('invalidHeader');
  const json = parseJson(bytes.toString('utf8', PREAMBLE_BYTES, bodyAt));
  if (json === undefined) return refused('invalidHeader');
  const state = codec.decode(json, new ByteReader(bytes, bodyAt));
  return typeof state === 'string' ? refused(state) : { ok: true, state };
}

function refused(reason: StateRefusal): DecodedState {
  return { ok: false, reason };
}

/** Undefined when it is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
