import type { SrtpKeys } from '@godwit/datapath';

/** Why a handshake failed. Also the label of the node's counter. */
export type DtlsFailure =
  | 'timedOut'
  /** No cipher suite, curve, signature or SRTP profile in common, or no extended master secret. */
  | 'noCommonParameters'
  | 'unexpectedMessage'
  | 'malformedMessage'
  /** The certificate is not the one that the client's description announced. */
  | 'fingerprintMismatch'
  /** The client does not hold the key of its certificate. */
  | 'certificateVerifyInvalid'
  /** Someone changed a message. */
  | 'finishedInvalid'
  | 'peerAlert';

export type DtlsOutput =
  /** To where the last datagram came from. */
  | { readonly kind: 'send'; readonly datagrams: readonly Buffer[] }
  /** The client proved its certificate. The receiver owns the key buffers and zeroes them. */
  | { readonly kind: 'finished'; readonly keys: SrtpKeys }
  | { readonly kind: 'failed'; readonly reason: DtlsFailure };

/**
 * One DTLS-SRTP handshake (RFC 5764), sans-IO. After `finished` no DTLS record is ever encrypted again: the last
 * flight is kept as bytes and repeated as such, until `confirm`.
 */
export interface DtlsHandshake {
  handleDatagram(nowMs: number, bytes: Uint8Array): DtlsOutput[];
  /** Retransmission and deadline. Call about every 50 ms while the handshake runs. */
  tick(nowMs: number): DtlsOutput[];
  /** Authenticated SRTP or SRTCP has come: the client has our last flight. */
  confirm(): void;
  /** Forgets every secret. No output comes any more. */
  close(): void;
}
