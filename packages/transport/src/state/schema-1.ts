import {
  ARRIVALS_MAX,
  EGRESS_MAPPINGS_MAX,
  REPLAY_WINDOW_BITS,
  SSRC_CONTEXTS_MAX,
  type FrozenArrival,
  type FrozenEgress,
  type FrozenMapping,
  type FrozenReceive,
  type FrozenSend,
  type SrtpKeys,
} from '@godwit/datapath';
import { z } from 'zod';
import { frozenIce } from '../ice/index.js';
import { SRTCP_INDEX_LIMIT, SRTP_INDEX_LIMIT } from '../limits.js';
import { PROFILE_SIZES } from '../srtp/index.js';
import { writeSigned, type ByteReader } from './bytes.js';
import type { PortableTransport } from './portable-transport.js';
import { expandWindow, trimWindow } from './window-bytes.js';

/**
 * Schema 1. The header is JSON without key bytes; rows are arrays, for size. The body holds, in this order: local
 * key, local salt, remote key, remote salt; the window prefixes of the SRTP and then the SRTCP contexts; the arrivals
 * as signed differences.
 */
const WINDOW_BYTES = REPLAY_WINDOW_BITS / 8;
const STREAMS_MAX = 256;

const uint32 = z.number().int().min(0).max(0xffff_ffff);
const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const difference = z.number().int().min(-SRTP_INDEX_LIMIT).max(SRTP_INDEX_LIMIT);

/** [ssrc, next index] */
const sendRows = (limit: number) =>
  z.array(z.tuple([uint32, z.number().int().min(0).max(limit)])).max(SSRC_CONTEXTS_MAX);
/** [ssrc, highest index, bytes of window prefix, 1: everything older was seen] */
const receiveRows = (limit: number) =>
  z
    .array(
      z.tuple([
        uint32,
        z
          .number()
          .int()
          .min(0)
          .max(limit - 1),
        z.number().int().min(0).max(WINDOW_BYTES),
        z.union([z.literal(0), z.literal(1)]),
      ]),
    )
    .max(SSRC_CONTEXTS_MAX);
/** [ssrc, last source index, timestamp offset, packets, octets, mappings as differences to the one before] */
const egressRow = z.tuple([
  uint32,
  z
    .number()
    .int()
    .min(0)
    .max(SRTP_INDEX_LIMIT - 1)
    .nullable(),
  z.number().int().min(-0xffff_ffff).max(0xffff_ffff),
  count,
  count,
  z.array(z.tuple([difference, difference])).max(EGRESS_MAPPINGS_MAX),
]);

const header = z.strictObject({
  transportId: z.string().regex(/^[0-9a-f]{16}$/),
  epoch: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  ice: frozenIce,
  profile: z.enum(['AEAD_AES_128_GCM', 'AEAD_AES_256_GCM', 'AES_CM_128_HMAC_SHA1_80']),
  receive: receiveRows(SRTP_INDEX_LIMIT),
  receiveRtcp: receiveRows(SRTCP_INDEX_LIMIT),
  send: sendRows(SRTP_INDEX_LIMIT),
  sendRtcp: sendRows(SRTCP_INDEX_LIMIT),
  /** [stream id, encoding id, ssrc, rtx ssrc] */
  ingress: z
    .array(z.tuple([z.string().max(64), z.number().int().min(0).max(255), uint32, uint32.nullable()]))
    .max(STREAMS_MAX),
  egress: z.array(egressRow).max(STREAMS_MAX),
  transportCcNext: count,
  arrivals: z.number().int().min(0).max(ARRIVALS_MAX),
  absSendTime: z
    .number()
    .min(0)
    .max(2 ** 24),
  feedback: z
    .strictObject({
      feedbackCount: z.number().int().min(0).max(255),
      nextSequence: count.nullable(),
      clockMicros: z.number().min(-Number.MAX_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER),
    })
    .nullable(),
});
type Header = z.infer<typeof header>;

export interface EncodedState {
  /** Not yet JSON. */
  readonly header: unknown;
  readonly body: readonly Buffer[];
}

export function encodeSchema1(state: PortableTransport): EncodedState {
  const { media } = state;
  const { keys } = media;
  const windows = [...media.receive, ...media.receiveRtcp].map(({ window }) => trimWindow(window).prefix);
  const value: Header = {
    transportId: state.transportId,
    epoch: state.epoch,
    ice: { ...state.ice, heardAgeMs: Math.round(state.ice.heardAgeMs) },
    profile: keys.profile,
    receive: media.receive.map(receiveRow),
    receiveRtcp: media.receiveRtcp.map(receiveRow),
    send: media.send.map(({ ssrc, nextIndex }) => [ssrc, nextIndex]),
    sendRtcp: media.sendRtcp.map(({ ssrc, nextIndex }) => [ssrc, nextIndex]),
    ingress: media.ingress.map((row) => [row.streamId, row.encodingId, row.ssrc, row.rtxSsrc]),
    egress: media.egress.map(toEgressRow),
    transportCcNext: media.transportCcNext,
    arrivals: media.arrivals.length,
    absSendTime: media.absSendTime,
    feedback: state.feedback === null ? null : { ...state.feedback },
  };
  const body = [
    keys.localKey,
    keys.localSalt,
    keys.remoteKey,
    keys.remoteSalt,
    ...windows,
    ...writeArrivals(media.arrivals),
  ];
  return { header: header.parse(value), body };
}

/** The state, or which of the two parts is wrong. Key bytes are copies. */
export function decodeSchema1(
  json: unknown,
  body: ByteReader,
): PortableTransport | 'invalidHeader' | 'invalidBody' {
  const parsed = header.safeParse(json);
  if (!parsed.success || hasRepeatedSsrc(parsed.data)) return 'invalidHeader';
  const { data } = parsed;
  const egress = data.egress.map(fromEgressRow);
  if (egress.some((entry) => !areMappingsInRange(entry.mappings))) return 'invalidHeader';
  const keys = readKeys(data.profile, body);
  const receive = readWindows(data.receive, body);
  const receiveRtcp = readWindows(data.receiveRtcp, body);
  const arrivals = readArrivals(data.arrivals, body);
  if (keys === null || receive === null || receiveRtcp === null || arrivals === null || !body.isAtEnd) {
    return 'invalidBody';
  }
  return {
    schema: 1,
    transportId: data.transportId,
    epoch: data.epoch,
    ice: data.ice,
    feedback: data.feedback,
    media: {
      keys,
      receive,
      receiveRtcp,
      send: data.send.map(fromSendRow),
      sendRtcp: data.sendRtcp.map(fromSendRow),
      ingress: data.ingress.map(([streamId, encodingId, ssrc, rtxSsrc]) => ({
        streamId,
        encodingId,
        ssrc,
        rtxSsrc,
      })),
      egress,
      transportCcNext: data.transportCcNext,
      arrivals,
      absSendTime: data.absSendTime,
    },
  };
}

/** Two spaces for one SSRC would be two guards for one nonce. */
function hasRepeatedSsrc(data: Header): boolean {
  const lists = [data.receive, data.receiveRtcp, data.send, data.sendRtcp, data.egress];
  return lists.some((rows) => new Set(rows.map(([ssrc]) => ssrc)).size !== rows.length);
}

function receiveRow({ ssrc, highestIndex, window }: FrozenReceive): Header['receive'][number] {
  const { prefix, isRestSeen } = trimWindow(window);
  return [ssrc, highestIndex, prefix.length, isRestSeen ? 1 : 0];
}

function fromSendRow([ssrc, nextIndex]: readonly [number, number]): FrozenSend {
  return { ssrc, nextIndex };
}

function toEgressRow(egress: FrozenEgress): Header['egress'][number] {
  const mappings = egress.mappings.map((mapping, at): [number, number] => {
    const before = egress.mappings[at - 1] ?? { fromSourceIndex: 0, indexOffset: 0 };
    return [mapping.fromSourceIndex - before.fromSourceIndex, mapping.indexOffset - before.indexOffset];
  });
  return [
    egress.ssrc,
    egress.lastSourceIndex,
    egress.timestampOffset,
    egress.packets,
    egress.octets,
    mappings,
  ];
}

function fromEgressRow([
  ssrc,
  lastSourceIndex,
  timestampOffset,
  packets,
  octets,
  rows,
]: Header['egress'][number]): FrozenEgress {
  let last: FrozenMapping = { fromSourceIndex: 0, indexOffset: 0 };
  const mappings = rows.map(([from, offset]) => {
    last = { fromSourceIndex: last.fromSourceIndex + from, indexOffset: last.indexOffset + offset };
    return last;
  });
  return { ssrc, lastSourceIndex, timestampOffset, packets, octets, mappings };
}

function areMappingsInRange(mappings: readonly FrozenMapping[]): boolean {
  return mappings.every(({ fromSourceIndex, indexOffset }) => {
    const isIndex = fromSourceIndex >= 0 && fromSourceIndex < SRTP_INDEX_LIMIT;
    return isIndex && Math.abs(indexOffset) < SRTP_INDEX_LIMIT;
  });
}

function readKeys(profile: SrtpKeys['profile'], body: ByteReader): SrtpKeys | null {
  const sizes = PROFILE_SIZES[profile];
  const localKey = body.take(sizes.key);
  const localSalt = body.take(sizes.salt);
  const remoteKey = body.take(sizes.key);
  const remoteSalt = body.take(sizes.salt);
  if (localKey === null || localSalt === null || remoteKey === null || remoteSalt === null) return null;
  return { profile, localKey, localSalt, remoteKey, remoteSalt };
}

function readWindows(rows: Header['receive'], body: ByteReader): FrozenReceive[] | null {
  const frozen: FrozenReceive[] = [];
  for (const [ssrc, highestIndex, prefixBytes, isRestSeen] of rows) {
    const prefix = body.take(prefixBytes);
    if (prefix === null) return null;
    const window = expandWindow({ prefix, isRestSeen: isRestSeen === 1 }, WINDOW_BYTES);
    frozen.push({ ssrc, highestIndex, window });
  }
  return frozen;
}

/** Differences to the arrival before: about four bytes each. */
function writeArrivals(arrivals: readonly FrozenArrival[]): Buffer[] {
  let before = { sequence: 0, ageMicros: 0 };
  return arrivals.flatMap(({ sequence, ageMicros }) => {
    const rounded = { sequence, ageMicros: Math.round(ageMicros) };
    const bytes = [
      writeSigned(rounded.sequence - before.sequence),
      writeSigned(rounded.ageMicros - before.ageMicros),
    ];
    before = rounded;
    return bytes;
  });
}

function readArrivals(total: number, body: ByteReader): FrozenArrival[] | null {
  const arrivals: FrozenArrival[] = [];
  let before = { sequence: 0, ageMicros: 0 };
  while (arrivals.length < total) {
    const sequence = body.takeSigned();
    const age = body.takeSigned();
    if (sequence === null || age === null) return null;
    before = { sequence: before.sequence + sequence, ageMicros: before.ageMicros + age };
    if (!isCount(before.sequence) || !isCount(before.ageMicros)) return null;
    arrivals.push(before);
  }
  return arrivals;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
