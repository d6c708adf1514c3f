import type {
  ConnectResult,
  ConnectionInfo,
  CreateStreamResult,
  OfferResult,
  SequencedEvent,
  SignallingError,
  StreamInfo,
} from '@godwit/protocol';
import { SERVER_MESSAGE_CHARS_MAX } from '../limits.js';

/** A message of the server, told apart. */
export type ParsedMessage =
  | { kind: 'result'; replyTo: number; result: unknown }
  | { kind: 'error'; replyTo: number | null; error: SignallingError }
  | { kind: 'event'; event: SequencedEvent };

type Fields = Record<string, unknown>;
type Check = (fields: Fields) => boolean;

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const isString = (value: unknown): value is string => typeof value === 'string';
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isArrayOf = (value: unknown, check: (item: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(check);

function isConnection(value: unknown): value is ConnectionInfo {
  return (
    isObject(value) && isString(value.connectionId) && isNumber(value.creationTime) && isString(value.data)
  );
}

function isDimensions(value: unknown): boolean {
  return isObject(value) && isNumber(value.width) && isNumber(value.height);
}

function isStream(value: unknown): value is StreamInfo {
  return (
    isObject(value) &&
    isString(value.streamId) &&
    isConnection(value.connection) &&
    isNumber(value.creationTime) &&
    isString(value.name) &&
    typeof value.hasAudio === 'boolean' &&
    typeof value.hasVideo === 'boolean' &&
    isDimensions(value.videoDimensions)
  );
}

const isCandidate = (value: unknown): boolean =>
  isObject(value) && isString(value.candidate) && isString(value.sdpMid);

function isNewValue(fields: Fields): boolean {
  return fields.changedProperty === 'videoDimensions'
    ? isDimensions(fields.newValue)
    : typeof fields.newValue === 'boolean';
}

const eventChecks: Record<SequencedEvent['event'], Check> = {
  connectionCreated: (fields) => isConnection(fields.connection),
  connectionDestroyed: (fields) => isConnection(fields.connection) && isString(fields.reason),
  streamCreated: (fields) => isStream(fields.stream),
  streamDestroyed: (fields) => isString(fields.streamId) && isString(fields.reason),
  streamPropertyChanged: (fields) =>
    isString(fields.streamId) && isString(fields.changedProperty) && isNewValue(fields),
  streamMuteForced: (fields) => isString(fields.streamId),
  muteForced: (fields) => typeof fields.active === 'boolean',
  signal: (fields) =>
    isString(fields.data) &&
    (fields.from === undefined || isConnection(fields.from)) &&
    (fields.number === undefined || isNumber(fields.number)),
  moveCandidate: (fields) => isString(fields.moveId) && isArrayOf(fields.candidates, isCandidate),
  restartOffer: (fields) => isString(fields.restartId) && isString(fields.sdp),
  moveEnded: (fields) => isString(fields.moveId) && isString(fields.outcome),
  transportSuspect: () => true,
  transportLost: () => true,
  sessionDestroyed: (fields) => isString(fields.reason),
  sessionDisconnected: (fields) => isString(fields.reason),
};

function isEvent(fields: Fields): boolean {
  if (!isString(fields.event) || !isNumber(fields.seq) || !Object.hasOwn(eventChecks, fields.event))
    return false;
  return eventChecks[fields.event as SequencedEvent['event']](fields);
}

function isError(value: unknown): value is SignallingError {
  return isObject(value) && isNumber(value.code) && isString(value.name) && isString(value.message);
}

/** Reads one message. Undefined for anything that is not ours; never throws. */
export function parseServerMessage(data: unknown): ParsedMessage | undefined {
  if (!isString(data) || data.length > SERVER_MESSAGE_CHARS_MAX) return undefined;
  let fields: unknown;
  try {
    fields = JSON.parse(data);
  } catch {
    return undefined;
  }
  if (!isObject(fields)) return undefined;
  if ('replyTo' in fields) return parseReply(fields);
  // The check has looked at every field that the event's type promises and the SDK reads.
  return isEvent(fields) ? { kind: 'event', event: fields as unknown as SequencedEvent } : undefined;
}

function parseReply(fields: Fields): ParsedMessage | undefined {
  const { replyTo } = fields;
  if (fields.ok === true && isNumber(replyTo)) return { kind: 'result', replyTo, result: fields.result };
  if (fields.ok !== false || !isError(fields.error)) return undefined;
  if (replyTo !== null && !isNumber(replyTo)) return undefined;
  return { kind: 'error', replyTo, error: fields.error };
}

/** Whether a result is that of connect or resume. */
export function isConnectResult(value: unknown): value is ConnectResult {
  return (
    isObject(value) &&
    isConnection(value.connection) &&
    isString(value.resumeToken) &&
    typeof value.resumed === 'boolean' &&
    isObject(value.capabilities) &&
    isArrayOf(value.connections, isConnection) &&
    isArrayOf(value.streams, isStream) &&
    typeof value.muteForced === 'boolean' &&
    isNumber(value.seq) &&
    isNumber(value.signals)
  );
}

export function isCreateStreamResult(value: unknown): value is CreateStreamResult {
  return isObject(value) && isString(value.streamId) && isNumber(value.creationTime);
}

export function isOfferResult(value: unknown): value is OfferResult {
  const isRefusal = (item: unknown): boolean =>
    isObject(item) && isString(item.streamId) && isString(item.mid) && isString(item.name);
  return isObject(value) && isString(value.sdp) && isArrayOf(value.refused, isRefusal);
}
