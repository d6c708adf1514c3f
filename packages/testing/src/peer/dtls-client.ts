import { DtlsClient } from 'werift';
import type { SrtpKeys } from '@godwit/datapath';
import { fingerprintMatches, type NodeCertificate } from '@godwit/transport';
import type { DtlsFingerprint } from '@godwit/protocol';

type ClientOptions = ConstructorParameters<typeof DtlsClient>[0];
const AEAD_AES_128_GCM = 7;
const KEY_BYTES = 16;
const SALT_BYTES = 12;
const ECDSA_SHA256 = { hash: 4, signature: 3 };
/** Retransmissions of a handshake end long before (RFC 6347 4.2.4.1: 1, 2, 4 s). */
const HANDSHAKE_TIMEOUT_MS = 15_000;

/** A real DTLS 1.2 handshake as client: records in, records out, SRTP keys at the end. */
export class DtlsHandshakeClient {
  readonly #client: DtlsClient;
  readonly #transport: { onData: (bytes: Buffer) => void };

  constructor(certificate: NodeCertificate, send: (record: Buffer) => void) {
    const transport = {
      type: 'udp',
      address: {},
      closed: false,
      onData: (_bytes: Buffer): void => undefined,
      close: () => Promise.resolve(),
      send: (record: Buffer) => {
        send(record);
        return Promise.resolve();
      },
    };
    this.#transport = transport;
    this.#client = new DtlsClient({
      cert: certificate.certificatePem,
      key: certificate.privateKeyPem,
      signatureHash: ECDSA_SHA256,
      transport,
      srtpProfiles: [AEAD_AES_128_GCM],
      extendedMasterSecret: true,
    } as unknown as ClientOptions);
  }

  receive(record: Buffer): void {
    this.#transport.onData(record);
  }

  /** Shakes hands. Rejects when the server's certificate is another than its description says, or after a while. */
  async handshake(server: DtlsFingerprint): Promise<SrtpKeys> {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error('the DTLS handshake did not end')),
        HANDSHAKE_TIMEOUT_MS,
      );
      this.#client.onConnect.subscribe(() => {
        clearTimeout(timer);
        resolve();
      });
      this.#client.connect().catch(reject);
    });
    this.#authenticate(server);
    const keys = this.#client.extractSessionKeys(KEY_BYTES, SALT_BYTES);
    return {
      profile: 'AEAD_AES_128_GCM',
      localKey: Buffer.from(keys.localKey),
      localSalt: Buffer.from(keys.localSalt),
      remoteKey: Buffer.from(keys.remoteKey),
      remoteSalt: Buffer.from(keys.remoteSalt),
    };
  }

  #authenticate(server: DtlsFingerprint): void {
    const { remoteCertificate } = this.#client;
    if (remoteCertificate === undefined || !fingerprintMatches(remoteCertificate, server)) {
      throw new Error('the DTLS server has another certificate than its description says');
    }
  }
}
