import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { CipherContext, DtlsClient } from 'werift';
import { beforeAll, describe, expect, it } from 'vitest';
import type { SrtpKeys } from '@godwit/datapath';
import { DTLS_HANDSHAKE_TIMEOUT_MS } from '../limits.js';
import type { DtlsOutput } from './dtls-handshake.js';
import { DtlsServerHandshake } from './dtls-server-handshake.js';
import { certificateFingerprint } from './fingerprint.js';
import { CERTIFICATE_SIGNATURE, createNodeCertificate, type NodeCertificate } from './node-certificate.js';

type ClientOptions = ConstructorParameters<typeof DtlsClient>[0];
type Direction = 'toServer' | 'toClient';

const TICK_MS = 20;
const DEADLINE_MS = 15_000;

let serverCertificate: NodeCertificate;
let clientCertificate: NodeCertificate;

beforeAll(async () => {
  [serverCertificate, clientCertificate] = await Promise.all([
    createNodeCertificate(),
    createNodeCertificate(),
  ]);
});

/** A werift client and our server on a wire in memory. `carry` decides what arrives: the datagrams it returns. */
class Wire {
  readonly server: DtlsServerHandshake;
  readonly client: DtlsClient;
  readonly outputs: DtlsOutput[] = [];
  readonly sentByServer: Buffer[] = [];
  readonly sentByClient: Buffer[] = [];
  isClientConnected = false;
  /** The server's clock: it stands while a datagram is handled, however slow the machine is. */
  #nowMs = 0;
  readonly #transport: { onData: (bytes: Buffer) => void };
  readonly #carry: (direction: Direction, bytes: Buffer, count: number) => Buffer[];

  constructor(options: {
    profiles?: number[];
    carry?: (direction: Direction, bytes: Buffer, count: number) => Buffer[];
    extendedMasterSecret?: boolean;
    fingerprint?: { algorithm: string; value: string };
  }) {
    const fingerprint = options.fingerprint ?? clientCertificate.fingerprint;
    this.server = new DtlsServerHandshake(serverCertificate, fingerprint);
    this.#carry = options.carry ?? ((_direction, bytes) => [bytes]);
    const transport = {
      type: 'udp',
      address: {},
      closed: false,
      onData: (_bytes: Buffer): void => undefined,
      close: () => Promise.resolve(),
      send: (bytes: Buffer) => {
        this.#toServer(Buffer.from(bytes));
        return Promise.resolve();
      },
    };
    this.#transport = transport;
    const clientOptions = {
      cert: clientCertificate.certificatePem,
      key: clientCertificate.privateKeyPem,
      signatureHash: CERTIFICATE_SIGNATURE,
      transport,
      srtpProfiles: options.profiles ?? [7, 8, 1],
      extendedMasterSecret: options.extendedMasterSecret ?? true,
    };
    this.client = new DtlsClient(clientOptions as unknown as ClientOptions);
    this.client.onConnect.subscribe(() => (this.isClientConnected = true));
  }

  /** Runs until both ends are done, or the server has failed. */
  async run(): Promise<void> {
    const start = performance.now();
    void this.client.connect().catch(() => undefined);
    while (performance.now() - start < DEADLINE_MS) {
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
      this.#nowMs += TICK_MS;
      this.#take(this.server.tick(this.#nowMs));
      if (this.failure !== undefined || (this.keys !== undefined && this.isClientConnected)) return;
    }
  }

  get keys(): SrtpKeys | undefined {
    return this.outputs.find((output) => output.kind === 'finished')?.keys;
  }

  get failure(): string | undefined {
    return this.outputs.find((output) => output.kind === 'failed')?.reason;
  }

  #toServer(bytes: Buffer): void {
    this.sentByClient.push(bytes);
    for (const arrived of this.#carry('toServer', bytes, this.sentByClient.length)) {
      this.#take(this.server.handleDatagram(this.#nowMs, arrived));
    }
  }

  #take(outputs: DtlsOutput[]): void {
    for (const output of outputs) {
      this.outputs.push(output);
      if (output.kind !== 'send') continue;
      for (const datagram of output.datagrams) {
        this.sentByServer.push(datagram);
        const arrived = this.#carry('toClient', datagram, this.sentByServer.length);
        // Werift's client must not be entered again from within its own send.
        queueMicrotask(() => arrived.forEach((bytes) => this.#transport.onData(Buffer.from(bytes))));
      }
    }
  }
}

function expectSameKeys(wire: Wire): void {
  const { keys } = wire;
  if (keys === undefined) throw new Error(`no keys: ${wire.failure ?? 'unfinished'}`);
  const mirrored = wire.client.extractSessionKeys(keys.localKey.length, keys.localSalt.length);
  expect(keys.localKey).toEqual(Buffer.from(mirrored.remoteKey));
  expect(keys.localSalt).toEqual(Buffer.from(mirrored.remoteSalt));
  expect(keys.remoteKey).toEqual(Buffer.from(mirrored.localKey));
  expect(keys.remoteSalt).toEqual(Buffer.from(mirrored.localSalt));
}

/** Splits each datagram of the client into its records, last first. */
function reverseRecords(bytes: Buffer): Buffer[] {
  const records: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 13 + bytes.readUInt16BE(at + 11);
    records.unshift(bytes.subarray(at, end));
    at = end;
  }
  return records;
}

describe('a handshake', () => {
  it.each([
    { offered: [1, 7, 8], profile: 'AEAD_AES_128_GCM' },
    { offered: [1, 8], profile: 'AEAD_AES_256_GCM' },
    { offered: [1], profile: 'AES_CM_128_HMAC_SHA1_80' },
  ])('agrees on $profile of $offered', async ({ offered, profile }) => {
    const wire = new Wire({ profiles: offered });
    await wire.run();
    expectSameKeys(wire);
    expect(wire.keys?.profile).toBe(profile);
  });

  it.each(['sha-256', 'sha-384', 'sha-512'])(
    'accepts a %s fingerprint in small letters',
    async (algorithm) => {
      const { value } = certificateFingerprint(
        new X509Certificate(clientCertificate.certificatePem).raw,
        algorithm,
      );
      const wire = new Wire({ fingerprint: { algorithm, value: value.toLowerCase() } });
      await wire.run();
      expectSameKeys(wire);
    },
  );

  it('survives the loss of any one datagram', async () => {
    const losses = (['toServer', 'toClient'] as const).flatMap((direction) =>
      [1, 2, 3].map((lost) => ({ direction, lost })),
    );
    const wires = losses.map(
      ({ direction, lost }) =>
        new Wire({ carry: (way, bytes, count) => (way === direction && count === lost ? [] : [bytes]) }),
    );
    await Promise.all(wires.map((wire) => wire.run()));
    for (const wire of wires) expectSameKeys(wire);
  });

  it('survives doubled datagrams and reversed records', async () => {
    // Only towards the server: werift's client answers a doubled flight with a second key exchange.
    const wire = new Wire({
      carry: (way, bytes) => (way === 'toServer' ? [...reverseRecords(bytes), bytes] : [bytes]),
    });
    await wire.run();
    expectSameKeys(wire);
  });
});

describe('a handshake fails', () => {
  it('when the certificate is not the signalled one', async () => {
    const wire = new Wire({ fingerprint: serverCertificate.fingerprint });
    await wire.run();
    expect(wire.failure).toBe('fingerprintMismatch');
  });

  it('when the fingerprint’s algorithm is not known', async () => {
    const wire = new Wire({ fingerprint: { ...clientCertificate.fingerprint, algorithm: 'md5' } });
    await wire.run();
    expect(wire.failure).toBe('fingerprintMismatch');
  });

  it('when the client does not hold the key of its certificate', async () => {
    const wire = new Wire({});
    const { sessionType } = wire.client.cipher;
    const { certificatePem, privateKeyPem } = serverCertificate;
    const other = new CipherContext(sessionType, certificatePem, privateKeyPem, CERTIFICATE_SIGNATURE);
    wire.client.cipher.localPrivateKey = other.localPrivateKey;
    await wire.run();
    expect(wire.failure).toBe('certificateVerifyInvalid');
    expect(wire.keys).toBeUndefined();
  });

  it('when the client’s Finished does not cover the transcript', async () => {
    const wire = new Wire({});
    wire.client.cipher.verifyData = () => Buffer.alloc(12);
    await wire.run();
    expect(wire.failure).toBe('finishedInvalid');
  });

  it.each([
    ['SRTP profile', { profiles: [2] }],
    ['extended master secret', { extendedMasterSecret: false }],
  ])('without a common %s', async (_name, options) => {
    const wire = new Wire(options);
    await wire.run();
    expect(wire.failure).toBe('noCommonParameters');
  });

  it('15 s after the first ClientHello', async () => {
    const wire = new Wire({ carry: (way, bytes) => (way === 'toServer' ? [bytes] : []) });
    void wire.client.connect().catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    expect(wire.server.tick(performance.now())).toEqual([]);
    expect(wire.server.tick(performance.now() + DTLS_HANDSHAKE_TIMEOUT_MS)).toEqual([
      { kind: 'failed', reason: 'timedOut' },
    ]);
  });
});

describe('after the handshake', () => {
  it('repeats the last flight byte for byte until confirmed, and encrypts nothing', async () => {
    const wire = new Wire({});
    await wire.run();
    const lastFlight = wire.sentByServer.at(-1);
    const clientFlight = wire.sentByClient.at(-1) ?? Buffer.alloc(0);
    const later = performance.now() + 1_000;
    expect(wire.server.handleDatagram(later, clientFlight)).toEqual([
      { kind: 'send', datagrams: [lastFlight] },
    ]);
    expect(wire.server.handleDatagram(later + 1, clientFlight)).toEqual([]);
    expect(wire.server.handleDatagram(later + 100, clientFlight)).toHaveLength(1);
    wire.server.confirm();
    expect(wire.server.handleDatagram(later + 200, clientFlight)).toEqual([]);
  });
});

describe('bytes from anywhere', () => {
  it('never make it throw', async () => {
    const wire = new Wire({});
    await wire.run();
    const seen = wire.sentByClient;
    const changed = fc
      .tuple(fc.nat({ max: seen.length - 1 }), fc.nat({ max: 1_000 }), fc.nat({ max: 255 }))
      .map(([which, position, value]) => {
        const bytes = Buffer.from(seen[which] ?? []);
        bytes[position % bytes.length] = value;
        return bytes;
      });
    const server = () => new DtlsServerHandshake(serverCertificate, clientCertificate.fingerprint);
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.uint8Array({ maxLength: 300 }), changed), { maxLength: 6 }),
        (datagrams) => {
          const target = server();
          const kinds = datagrams
            .flatMap((bytes) => target.handleDatagram(0, bytes))
            .map((output) => output.kind);
          expect(kinds).not.toContain('finished');
          target.close();
        },
      ),
      { numRuns: 60 },
    );
  });
});
