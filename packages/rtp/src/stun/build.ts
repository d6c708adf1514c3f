import { STUN_REASON_BYTES_MAX, STUN_USERNAME_BYTES_MAX } from '../limits.js';
import {
  ATTRIBUTE_HEADER_BYTES,
  STUN_ATTRIBUTE,
  STUN_HEADER_BYTES,
  STUN_MAGIC_COOKIE,
  TRANSACTION_ID_BYTES,
} from './attributes.js';
import { messageFingerprint, messageIntegrity } from './integrity.js';
import type { IceRole } from './message.js';
import { encodeXorAddress } from './xor-address.js';
import type { StunAddress } from './xor-address.js';

const BINDING_REQUEST = 0x0001;
const BINDING_INDICATION = 0x0011;
const BINDING_SUCCESS = 0x0101;
const BINDING_ERROR = 0x0111;

export interface BindingSuccessInit {
  /** 12 bytes, from the request. */
  readonly transactionId: Buffer;
  /** Where the request came from. */
  readonly mapped: StunAddress;
  /** Our ICE password (RFC 8445 7.3). */
  readonly password: string;
}

/** Answer to a connectivity check: XOR-MAPPED-ADDRESS, MESSAGE-INTEGRITY, FINGERPRINT. */
export function buildBindingSuccess(init: BindingSuccessInit): Buffer {
  return finish(
    BINDING_SUCCESS,
    init.transactionId,
    [attribute(STUN_ATTRIBUTE.xorMappedAddress, encodeXorAddress(init.mapped, init.transactionId))],
    init.password,
  );
}

/** Errors that an ICE agent answers (RFC 8489 14.8, RFC 8445 16.2), with their reason phrases. */
export const STUN_ERRORS = {
  badRequest: { code: 400, reason: 'Bad Request' },
  unauthenticated: { code: 401, reason: 'Unauthenticated' },
  unknownAttribute: { code: 420, reason: 'Unknown Attribute' },
  roleConflict: { code: 487, reason: 'Role Conflict' },
  serverError: { code: 500, reason: 'Server Error' },
} as const;

export interface ErrorResponseInit {
  readonly transactionId: Buffer;
  /** 300..699. */
  readonly code: number;
  readonly reason: string;
  /** For 420. */
  readonly unknownAttributes?: readonly number[];
  /** Absent where the request did not authenticate (RFC 8489 9.1.3: 400 and 401 carry no integrity). */
  readonly password?: string;
}

export function buildErrorResponse(init: ErrorResponseInit): Buffer {
  const reason = Buffer.from(init.reason, 'utf8');
  if (init.code < 300 || init.code > 699) throw new RangeError('a STUN error code is 300..699');
  if (reason.length > STUN_REASON_BYTES_MAX) throw new RangeError('the reason phrase is too long');
  const code = Buffer.from([0, 0, Math.floor(init.code / 100), init.code % 100]);
  const attributes = [attribute(STUN_ATTRIBUTE.errorCode, Buffer.concat([code, reason]))];
  if (init.unknownAttributes !== undefined) {
    const types = Buffer.alloc(init.unknownAttributes.length * 2);
    init.unknownAttributes.forEach((type, index) => types.writeUInt16BE(type, index * 2));
    attributes.push(attribute(STUN_ATTRIBUTE.unknownAttributes, types));
  }
  return finish(BINDING_ERROR, init.transactionId, attributes, init.password);
}

export interface BindingRequestInit {
  /** 12 random bytes. */
  readonly transactionId: Buffer;
  /** "<remote ufrag>:<local ufrag>" (RFC 8445 7.2.2). */
  readonly username?: string;
  /** The remote password. Absent: no MESSAGE-INTEGRITY. */
  readonly password?: string;
  readonly priority?: number;
  readonly useCandidate?: boolean;
  readonly iceRole?: IceRole;
}

/** A connectivity check as a client makes it: for tests and load generators. */
export function buildBindingRequest(init: BindingRequestInit): Buffer {
  const attributes: Buffer[] = [];
  if (init.username !== undefined) {
    const username = Buffer.from(init.username, 'utf8');
    if (username.length > STUN_USERNAME_BYTES_MAX) throw new RangeError('USERNAME is too long');
    attributes.push(attribute(STUN_ATTRIBUTE.username, username));
  }
  if (init.iceRole !== undefined) {
    const type =
      init.iceRole.role === 'controlling' ? STUN_ATTRIBUTE.iceControlling : STUN_ATTRIBUTE.iceControlled;
    const tieBreaker = Buffer.alloc(8);
    tieBreaker.writeBigUInt64BE(init.iceRole.tieBreaker);
    attributes.push(attribute(type, tieBreaker));
  }
  if (init.useCandidate === true) attributes.push(attribute(STUN_ATTRIBUTE.useCandidate, Buffer.alloc(0)));
  if (init.priority !== undefined) attributes.push(attribute(STUN_ATTRIBUTE.priority, uint32(init.priority)));
  return finish(BINDING_REQUEST, init.transactionId, attributes, init.password);
}

/** A keepalive that wants no answer (RFC 8445 11). */
export function buildBindingIndication(transactionId: Buffer): Buffer {
  return finish(BINDING_INDICATION, transactionId, [], undefined);
}

function attribute(type: number, value: Buffer): Buffer {
  const padded = Buffer.alloc(ATTRIBUTE_HEADER_BYTES + ((value.length + 3) & ~3));
  padded.writeUInt16BE(type, 0);
  padded.writeUInt16BE(value.length, 2);
  value.copy(padded, ATTRIBUTE_HEADER_BYTES);
  return padded;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Adds header, MESSAGE-INTEGRITY (with a password) and FINGERPRINT. */
function finish(
  type: number,
  transactionId: Buffer,
  attributes: readonly Buffer[],
  password: string | undefined,
): Buffer {
  if (transactionId.length !== TRANSACTION_ID_BYTES) throw new RangeError('a transaction id has 12 bytes');
  const header = Buffer.alloc(STUN_HEADER_BYTES);
  header.writeUInt16BE(type, 0);
  header.writeUInt32BE(STUN_MAGIC_COOKIE, 4);
  transactionId.copy(header, 8);
  let message = Buffer.concat([header, ...attributes]);
  if (password !== undefined) {
    const integrity = messageIntegrity(message, message.length, password);
    message = Buffer.concat([message, attribute(STUN_ATTRIBUTE.messageIntegrity, integrity)]);
  }
  const fingerprint = uint32(messageFingerprint(message, message.length));
  message = Buffer.concat([message, attribute(STUN_ATTRIBUTE.fingerprint, fingerprint)]);
  message.writeUInt16BE(message.length - STUN_HEADER_BYTES, 2);
  return message;
}
