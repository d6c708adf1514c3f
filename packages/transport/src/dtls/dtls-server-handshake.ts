import type { DtlsFingerprint } from '@godwit/protocol';
import {
  DTLS_DATAGRAMS_MAX,
  DTLS_FLIGHT_SENDS_MAX,
  DTLS_HANDSHAKE_TIMEOUT_MS,
  DTLS_HELD_RECORDS_MAX,
  DTLS_RESEND_INTERVAL_MS,
  DTLS_RETRANSMIT_INITIAL_MS,
  DTLS_RETRANSMIT_MAX_MS,
} from '../limits.js';
import { verifyCertificateVerify, verifyClientFinished } from './client-authentication.js';
import { splitCookie } from './client-hello.js';
import type { DtlsFailure, DtlsHandshake, DtlsOutput } from './dtls-handshake.js';
import { fingerprintMatches } from './fingerprint.js';
import { HANDSHAKE_TYPE, splitFragments, type HandshakeMessage } from './handshake-message.js';
import { HandshakeReassembler } from './handshake-reassembler.js';
import type { NodeCertificate } from './node-certificate.js';
import { CONTENT_TYPE, packDatagrams, splitRecords, type DtlsRecord } from './records.js';
import { WeriftServer } from './werift-server.js';

/** What the client must send next. Flight 5 is Certificate, ClientKeyExchange, CertificateVerify, Finished. */
type Phase =
  | 'hello'
  | 'helloWithCookie'
  | 'certificate'
  | 'keyExchange'
  | 'certificateVerify'
  | 'finished'
  | 'done'
  | 'closed';

const ALERT_FATAL = 2;

/** The flight sent last, and when to send it again. */
interface Flight {
  readonly datagrams: readonly Buffer[];
  /** Null: only when the client repeats its own flight. */
  retransmitAtMs: number | null;
  intervalMs: number;
  lastSentMs: number;
  sends: number;
}

/** The passive side (RFC 8842 5.2): a server that the client's ClientHello starts. */
export class DtlsServerHandshake implements DtlsHandshake {
  readonly #server: WeriftServer;
  readonly #remoteFingerprint: DtlsFingerprint;
  readonly #reassembler = new HandshakeReassembler();
  #phase: Phase = 'hello';
  #flight: Flight | null = null;
  #heldRecords: DtlsRecord[] = [];
  #datagrams = 0;
  #deadlineMs: number | null = null;

  /** @param remoteFingerprint as the client's description signalled it */
  constructor(certificate: NodeCertificate, remoteFingerprint: DtlsFingerprint) {
    this.#server = new WeriftServer(certificate);
    this.#remoteFingerprint = remoteFingerprint;
  }

  handleDatagram(nowMs: number, bytes: Uint8Array): DtlsOutput[] {
    if (this.#phase === 'closed') return [];
    const records = splitRecords(Buffer.from(bytes));
    if (this.#phase === 'done') return this.#answerRepetition(nowMs, records);
    this.#datagrams += 1;
    if (this.#datagrams > DTLS_DATAGRAMS_MAX) return [];

    const outputs: DtlsOutput[] = [];
    let isRepetition = false;
    for (const record of records) {
      if (this.#isFatalAlert(record)) return [...outputs, this.#fail('peerAlert')];
      if (record.contentType !== CONTENT_TYPE.handshake) continue;
      isRepetition = this.#takeRecord(record) || isRepetition;
      outputs.push(...this.#advance(nowMs));
    }
    if (isRepetition && outputs.length === 0) outputs.push(...this.#resend(nowMs));
    return outputs;
  }

  tick(nowMs: number): DtlsOutput[] {
    if (this.#phase === 'done' || this.#phase === 'closed') return [];
    if (this.#deadlineMs !== null && nowMs >= this.#deadlineMs) return [this.#fail('timedOut')];
    const flight = this.#flight;
    if (flight === null || flight.retransmitAtMs === null || nowMs < flight.retransmitAtMs) return [];
    flight.intervalMs = Math.min(flight.intervalMs * 2, DTLS_RETRANSMIT_MAX_MS);
    flight.retransmitAtMs = nowMs + flight.intervalMs;
    return this.#sendFlight(nowMs, flight);
  }

  confirm(): void {
    if (this.#phase === 'done') this.close();
  }

  close(): void {
    this.#phase = 'closed';
    this.#flight = null;
    this.#heldRecords = [];
    this.#server.zero();
  }

  /** True when the record holds a message that was taken before. */
  #takeRecord(record: DtlsRecord): boolean {
    if (record.epoch === 0) return this.#takeFragments(record.fragment, false);
    if (record.epoch !== 1) return false;
    if (this.#server.masterSecret === null) {
      if (this.#heldRecords.length < DTLS_HELD_RECORDS_MAX) this.#heldRecords.push(record);
      return false;
    }
    const plaintext = this.#server.decrypt(record);
    return plaintext !== null && this.#takeFragments(plaintext, true);
  }

  #takeFragments(record: Buffer, isEncrypted: boolean): boolean {
    let isRepetition = false;
    for (const fragment of splitFragments(record)) {
      // Finished is the one message that comes encrypted; in clear it would prove nothing.
      if ((fragment.type === HANDSHAKE_TYPE.finished) !== isEncrypted) continue;
      isRepetition = this.#reassembler.isRepeated(fragment) || isRepetition;
      this.#reassembler.add(fragment);
    }
    return isRepetition;
  }

  #advance(nowMs: number): DtlsOutput[] {
    const outputs: DtlsOutput[] = [];
    for (let message = this.#reassembler.take(); message !== null; message = this.#reassembler.take()) {
      outputs.push(...this.#takeMessage(nowMs, message));
      if (this.#phase === 'done' || this.#phase === 'closed') return outputs;
      if (message.type === HANDSHAKE_TYPE.clientKeyExchange) this.#takeHeldRecords();
    }
    return outputs;
  }

  #takeHeldRecords(): void {
    const held = this.#heldRecords;
    this.#heldRecords = [];
    for (const record of held) this.#takeRecord(record);
  }

  #takeMessage(nowMs: number, message: HandshakeMessage): DtlsOutput[] {
    switch (this.#phase) {
      case 'hello':
        return this.#takeHello(nowMs, message);
      case 'helloWithCookie':
        return this.#takeHelloWithCookie(nowMs, message);
      case 'certificate':
        return this.#takeCertificate(message);
      case 'keyExchange':
        return this.#takeKeyExchange(message);
      case 'certificateVerify':
        return this.#takeCertificateVerify(message);
      case 'finished':
        return this.#takeFinished(nowMs, message);
      case 'done':
      case 'closed':
        return [];
    }
  }

  #takeHello(nowMs: number, message: HandshakeMessage): DtlsOutput[] {
    if (message.type !== HANDSHAKE_TYPE.clientHello) return [this.#fail('unexpectedMessage')];
    this.#deadlineMs = nowMs + DTLS_HANDSHAKE_TIMEOUT_MS;
    const parts = splitCookie(message.body);
    if (parts === null) return [this.#fail('malformedMessage')];
    // A cookie before we gave one is of another server: it is asked to begin anew.
    const records = this.#server.helloVerifyRequest({ ...message, body: parts.withoutCookie });
    if (records === null) return [this.#fail('noCommonParameters')];
    this.#phase = 'helloWithCookie';
    return this.#startFlight(nowMs, records, null);
  }

  #takeHelloWithCookie(nowMs: number, message: HandshakeMessage): DtlsOutput[] {
    if (message.type !== HANDSHAKE_TYPE.clientHello) return [this.#fail('unexpectedMessage')];
    const parts = splitCookie(message.body);
    if (parts === null || !this.#server.isOurCookie(parts.cookie)) return [this.#fail('malformedMessage')];
    const records = this.#server.serverFlight(message);
    if (records === null) return [this.#fail('noCommonParameters')];
    this.#phase = 'certificate';
    return this.#startFlight(nowMs, records, DTLS_RETRANSMIT_INITIAL_MS);
  }

  #takeCertificate(message: HandshakeMessage): DtlsOutput[] {
    if (message.type !== HANDSHAKE_TYPE.certificate) return [this.#fail('unexpectedMessage')];
    this.#server.clientMessage(message);
    const certificate = this.#server.remoteCertificate;
    if (certificate === null) return [this.#fail('malformedMessage')];
    if (!fingerprintMatches(certificate, this.#remoteFingerprint)) return [this.#fail('fingerprintMismatch')];
    this.#phase = 'keyExchange';
    return [];
  }

  #takeKeyExchange(message: HandshakeMessage): DtlsOutput[] {
    if (message.type !== HANDSHAKE_TYPE.clientKeyExchange) return [this.#fail('unexpectedMessage')];
    this.#server.clientMessage(message);
    if (this.#server.masterSecret === null) return [this.#fail('malformedMessage')];
    this.#phase = 'certificateVerify';
    return [];
  }

  #takeCertificateVerify(message: HandshakeMessage): DtlsOutput[] {
    if (message.type !== HANDSHAKE_TYPE.certificateVerify) return [this.#fail('unexpectedMessage')];
    const certificate = this.#server.remoteCertificate;
    const signed = this.#server.transcript;
    if (certificate === null || !verifyCertificateVerify(certificate, signed, message.body)) {
      return [this.#fail('certificateVerifyInvalid')];
    }
    this.#server.clientMessage(message);
    this.#phase = 'finished';
    return [];
  }

  #takeFinished(nowMs: number, message: HandshakeMessage): DtlsOutput[] {
    if (message.type !== HANDSHAKE_TYPE.finished) return [this.#fail('unexpectedMessage')];
    const { masterSecret, profile, transcript } = this.#server;
    if (masterSecret === null || profile === null) return [this.#fail('unexpectedMessage')];
    if (!verifyClientFinished(masterSecret, transcript, message.body)) return [this.#fail('finishedInvalid')];
    const outputs = this.#startFlight(nowMs, this.#server.lastFlight(message), null);
    const keys = this.#server.exportSrtpKeys(profile);
    this.#server.zero();
    this.#phase = 'done';
    return [...outputs, { kind: 'finished', keys }];
  }

  #answerRepetition(nowMs: number, records: readonly DtlsRecord[]): DtlsOutput[] {
    const isHandshake = records.some((record) => record.contentType === CONTENT_TYPE.handshake);
    return isHandshake ? this.#resend(nowMs) : [];
  }

  #startFlight(nowMs: number, records: readonly Buffer[], intervalMs: number | null): DtlsOutput[] {
    const flight: Flight = {
      datagrams: packDatagrams(records),
      retransmitAtMs: intervalMs === null ? null : nowMs + intervalMs,
      intervalMs: intervalMs ?? 0,
      lastSentMs: nowMs,
      sends: 0,
    };
    this.#flight = flight;
    return this.#sendFlight(nowMs, flight);
  }

  #resend(nowMs: number): DtlsOutput[] {
    const flight = this.#flight;
    if (flight === null || nowMs - flight.lastSentMs < DTLS_RESEND_INTERVAL_MS) return [];
    return this.#sendFlight(nowMs, flight);
  }

  #sendFlight(nowMs: number, flight: Flight): DtlsOutput[] {
    if (flight.sends >= DTLS_FLIGHT_SENDS_MAX) return [];
    flight.sends += 1;
    flight.lastSentMs = nowMs;
    return [{ kind: 'send', datagrams: flight.datagrams }];
  }

  /** In clear, and so before the client changed to its keys; later alerts are not read. */
  #isFatalAlert(record: DtlsRecord): boolean {
    const { contentType, epoch, fragment } = record;
    return contentType === CONTENT_TYPE.alert && epoch === 0 && fragment[0] === ALERT_FATAL;
  }

  #fail(reason: DtlsFailure): DtlsOutput {
    this.close();
    return { kind: 'failed', reason };
  }
}
