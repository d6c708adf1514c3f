import { DTLS_DATAGRAM_BYTES, DTLS_RECORDS_PER_DATAGRAM_MAX } from '../limits.js';

/** RFC 5246 6.2.1. */
export const CONTENT_TYPE = { changeCipherSpec: 20, alert: 21, handshake: 22 } as const;
/** {254, 253}: DTLS 1.2 (RFC 6347 4.1). */
const DTLS_1_2 = 0xfefd;
const DTLS_MAJOR_VERSION = 0xfe;
const RECORD_HEADER_BYTES = 13;

/** One record as it came. `fragment` is a view into the datagram. */
export interface DtlsRecord {
  readonly contentType: number;
  readonly version: { readonly major: number; readonly minor: number };
  readonly epoch: number;
  readonly sequenceNumber: number;
  readonly fragment: Buffer;
}

/** Records of one datagram (RFC 6347 4.1); what does not parse ends it. */
export function splitRecords(datagram: Buffer): DtlsRecord[] {
  const records: DtlsRecord[] = [];
  let at = 0;
  while (at + RECORD_HEADER_BYTES <= datagram.length && records.length < DTLS_RECORDS_PER_DATAGRAM_MAX) {
    const start = at + RECORD_HEADER_BYTES;
    const end = start + datagram.readUInt16BE(at + 11);
    if (end > datagram.length || datagram.readUInt8(at + 1) !== DTLS_MAJOR_VERSION) break;
    records.push({
      contentType: datagram.readUInt8(at),
      version: { major: datagram.readUInt8(at + 1), minor: datagram.readUInt8(at + 2) },
      epoch: datagram.readUInt16BE(at + 3),
      sequenceNumber: datagram.readUIntBE(at + 5, 6),
      fragment: datagram.subarray(start, end),
    });
    at = end;
  }
  return records;
}

/** Bytes of one record of DTLS 1.2. */
export function writeRecord(
  contentType: number,
  epoch: number,
  sequenceNumber: number,
  fragment: Buffer,
): Buffer {
  const header = Buffer.alloc(RECORD_HEADER_BYTES);
  header.writeUInt8(contentType, 0);
  header.writeUInt16BE(DTLS_1_2, 1);
  header.writeUInt16BE(epoch, 3);
  header.writeUIntBE(sequenceNumber, 5, 6);
  header.writeUInt16BE(fragment.length, 11);
  return Buffer.concat([header, fragment]);
}

/** Packs whole records into as few datagrams as fit: fewer datagrams, fewer losses. */
export function packDatagrams(records: readonly Buffer[]): Buffer[] {
  const datagrams: Buffer[] = [];
  let current: Buffer[] = [];
  let bytes = 0;
  for (const record of records) {
    if (bytes > 0 && bytes + record.length > DTLS_DATAGRAM_BYTES) {
      datagrams.push(Buffer.concat(current));
      current = [];
      bytes = 0;
    }
    current.push(record);
    bytes += record.length;
  }
  if (bytes > 0) datagrams.push(Buffer.concat(current));
  return datagrams;
}
