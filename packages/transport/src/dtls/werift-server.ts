import type { SrtpKeys, SrtpProfile } from '@godwit/datapath';
import { DtlsServer } from 'werift';
import { splitCookie } from './client-hello.js';
import { HANDSHAKE_TYPE, writeHandshakeMessage, type HandshakeMessage } from './handshake-message.js';
import { CERTIFICATE_SIGNATURE, type NodeCertificate } from './node-certificate.js';
import { CONTENT_TYPE, writeRecord, type DtlsRecord } from './records.js';
import {
  keyingMaterialBytes,
  splitKeyingMaterial,
  SRTP_EXPORTER_LABEL,
  SRTP_PROFILE_NUMBERS,
} from './srtp-keying.js';

type WeriftMessage = Parameters<DtlsServer['onHandleHandshakes']>[0][number];
type WeriftRecord = Parameters<DtlsServer['cipher']['decryptPacket']>[0];
type WeriftOptions = ConstructorParameters<typeof DtlsServer>[0];

const FINISHED_EPOCH = 1;

/** Thrown into werift's send: it stops werift before it starts a retransmission timer of its own. */
class FlightTaken extends Error {}

/**
 * The server side of werift's DTLS, driven synchronously: messages in, flights out. It gives the message codecs, the
 * key exchange and the record cipher. It keeps no timer, sees no socket and decides nothing about trust: werift 0.24
 * checks neither CertificateVerify nor the client's Finished, so the caller must.
 */
export class WeriftServer {
  readonly #server: DtlsServer;
  #sent: Buffer[] = [];

  constructor(certificate: NodeCertificate) {
    const transport = {
      type: 'udp',
      address: {},
      closed: false,
      onData: () => undefined,
      close: () => Promise.resolve(),
      send: (bytes: Buffer) => this.#take(bytes),
    };
    const options = {
      cert: certificate.certificatePem,
      key: certificate.privateKeyPem,
      signatureHash: CERTIFICATE_SIGNATURE,
      transport,
      srtpProfiles: [...SRTP_PROFILE_NUMBERS.keys()],
      extendedMasterSecret: true,
      certificateRequest: true,
    };
    // Werift's own list of profile numbers lacks 8; it only carries them.
    this.#server = new DtlsServer(options as unknown as WeriftOptions);
  }

  /** Records of the HelloVerifyRequest for a first ClientHello; null when nothing is in common. */
  helloVerifyRequest(hello: HandshakeMessage): Buffer[] | null {
    this.#sent = [];
    this.#feed(hello);
    return this.#sent.length > 0 ? this.#sent : null;
  }

  isOurCookie(cookie: Buffer): boolean {
    return this.#server.dtls.cookie?.equals(cookie) === true;
  }

  /**
   * Records of flight 4 for the ClientHello with our cookie; null when nothing is in common. Parameters come from
   * this message alone, since the first one is outside the transcript.
   */
  serverFlight(hello: HandshakeMessage): Buffer[] | null {
    const parts = splitCookie(hello.body);
    if (parts === null) return null;
    const { srtp, dtls } = this.#server;
    srtp.srtpProfile = undefined;
    dtls.remoteExtendedMasterSecret = false;
    if (this.helloVerifyRequest({ ...hello, body: parts.withoutCookie }) === null) return null;
    if (this.profile === null || !dtls.remoteExtendedMasterSecret) return null;
    this.#feed(hello);
    return dtls.flight === 4 ? dtls.lastMessage : null;
  }

  get profile(): SrtpProfile | null {
    const { srtpProfile } = this.#server.srtp;
    return srtpProfile === undefined ? null : (SRTP_PROFILE_NUMBERS.get(srtpProfile) ?? null);
  }

  /** Certificate, ClientKeyExchange or CertificateVerify, in the order of the handshake. */
  clientMessage(message: HandshakeMessage): void {
    this.#feed(message);
  }

  /** DER of the client's certificate. */
  get remoteCertificate(): Buffer | null {
    return this.#server.remoteCertificate ?? null;
  }

  /** Null before a valid ClientKeyExchange. */
  get masterSecret(): Buffer | null {
    const { masterSecret } = this.#server.cipher as { masterSecret?: Buffer };
    return masterSecret ?? null;
  }

  /** Every handshake message so far, from the ClientHello with the cookie on (RFC 6347 4.2.6). */
  get transcript(): Buffer {
    return Buffer.concat(this.#server.dtls.sortedHandshakeCache.map((message) => message.serialize()));
  }

  /** Plaintext of an encrypted record; null when it does not authenticate. */
  decrypt(record: DtlsRecord): Buffer | null {
    const header = {
      contentType: record.contentType,
      protocolVersion: record.version,
      epoch: record.epoch,
      sequenceNumber: record.sequenceNumber,
      contentLen: record.fragment.length,
    };
    const packet = { recordLayerHeader: header, fragment: Buffer.from(record.fragment) };
    try {
      return this.#server.cipher.decryptPacket(packet as unknown as WeriftRecord);
    } catch {
      return null;
    }
  }

  /** ChangeCipherSpec and Finished: the only record that is ever encrypted here. Call once. */
  lastFlight(clientFinished: HandshakeMessage): Buffer[] {
    const { cipher, dtls } = this.#server;
    const transcript = Buffer.concat([this.transcript, writeHandshakeMessage(clientFinished)]);
    const finished = writeHandshakeMessage({
      type: HANDSHAKE_TYPE.finished,
      messageSeq: dtls.sequenceNumber,
      body: cipher.verifyData(transcript),
    });
    const header = {
      contentType: CONTENT_TYPE.handshake,
      protocolVersion: dtls.version,
      epoch: FINISHED_EPOCH,
      sequenceNumber: 0,
      contentLen: finished.length,
    };
    const encrypted = cipher.encryptPacket({
      recordLayerHeader: header,
      fragment: finished,
    } as unknown as WeriftRecord).fragment;
    return [
      writeRecord(CONTENT_TYPE.changeCipherSpec, 0, dtls.recordSequenceNumber + 1, Buffer.from([1])),
      writeRecord(CONTENT_TYPE.handshake, FINISHED_EPOCH, 0, encrypted),
    ];
  }

  exportSrtpKeys(profile: SrtpProfile): SrtpKeys {
    const material = this.#server.exportKeyingMaterial(SRTP_EXPORTER_LABEL, keyingMaterialBytes(profile));
    const keys = splitKeyingMaterial(profile, material);
    material.fill(0);
    return keys;
  }

  /** Zeroes the secrets that werift holds as bytes. */
  zero(): void {
    const cipher = this.#server.cipher as Partial<DtlsServer['cipher']>;
    cipher.masterSecret?.fill(0);
    cipher.localKeyPair?.privateKey.fill(0);
    cipher.cipher?.clientWriteKey?.fill(0);
    cipher.cipher?.serverWriteKey?.fill(0);
  }

  #take(bytes: Buffer): Promise<void> {
    if (this.#server.dtls.flight === 4) throw new FlightTaken();
    this.#sent.push(bytes);
    return Promise.resolve();
  }

  /** Werift does all of its work for these messages before its first await; its rejections show as missing results. */
  #feed(message: HandshakeMessage): void {
    const bytes = writeHandshakeMessage(message);
    const werift = {
      msg_type: message.type,
      length: message.body.length,
      message_seq: message.messageSeq,
      fragment_offset: 0,
      fragment_length: message.body.length,
      fragment: message.body,
      serialize: () => bytes,
    };
    this.#server.onHandleHandshakes([werift as unknown as WeriftMessage]).catch(() => undefined);
  }
}
