import { randomBytes } from 'node:crypto';
import type { Datapath } from '@godwit/datapath';
import type { TransportMedia } from '@godwit/protocol';
import {
  createIceCredentials,
  createSealKeyPair,
  decodePortableTransport,
  encodePortableTransport,
  IceLiteAgent,
  openState,
  sealState,
  STATE_SCHEMAS,
} from '@godwit/transport';
import { removeDatapathTransport } from '../transport/remove-transport.js';
import { zeroKeys } from '../transport/zero-keys.js';

/**
 * Moves of a transport to itself at start. Enough for the runtime to have compiled the whole path: measured on two busy
 * cores, the first transfer of a fresh pair of nodes took 120 ms, the later ones 5 to 20.
 */
const ROUNDS = 40;
const TRANSPORT_ID = 'fffffffffffffffe';
const CONTEXT = { moveId: 'ffffffffffffffff', transportId: TRANSPORT_ID, epoch: 1 };

/**
 * Freezes, seals, opens and thaws a made-up transport. A node that cannot do this must not take part in moves, and one
 * that has done it does its first real one as fast as any later. Throws when the state does not survive.
 */
export function handoverSelfTest(datapath: Datapath): void {
  for (let round = 0; round < ROUNDS; round++) moveToItself(datapath);
}

function moveToItself(datapath: Datapath): void {
  const schema = Math.max(...STATE_SCHEMAS);
  addTransport(datapath);
  datapath.installKeys(TRANSPORT_ID, {
    profile: 'AEAD_AES_128_GCM',
    localKey: randomBytes(16),
    localSalt: randomBytes(12),
    remoteKey: randomBytes(16),
    remoteSalt: randomBytes(12),
  });
  datapath.setInbound(TRANSPORT_ID, { kind: 'own' });
  // SRTCP of our own, so that the state has a space of indices to hand over.
  datapath.sendRtcp(TRANSPORT_ID, Buffer.from('80c9000100000001', 'hex'));
  const ice = new IceLiteAgent(0, { local: createIceCredentials(randomBytes), remote: null });
  const media = datapath.freeze(TRANSPORT_ID);
  const state = { schema, transportId: TRANSPORT_ID, epoch: 1, ice: ice.freeze(0), media, feedback: null };
  const keys = createSealKeyPair();
  const opened = openState(
    sealState(encodePortableTransport(state, schema), keys.publicKey, CONTEXT),
    keys,
    CONTEXT,
  );
  keys.destroy();
  removeDatapathTransport(datapath, TRANSPORT_ID);
  const decoded = opened === null ? null : decodePortableTransport(opened);
  if (decoded?.ok !== true)
    throw new Error('the handover self-test failed: a sealed state did not open again');
  addTransport(datapath);
  datapath.thaw(TRANSPORT_ID, decoded.state.media, { count: 1 });
  datapath.liftCeiling(TRANSPORT_ID);
  zeroKeys(media.keys);
  zeroKeys(decoded.state.media.keys);
  removeDatapathTransport(datapath, TRANSPORT_ID);
}

function addTransport(datapath: Datapath): void {
  datapath.addTransport(TRANSPORT_ID);
  datapath.setMedia(TRANSPORT_ID, MEDIA);
}

const MEDIA: TransportMedia = {
  generation: 1,
  ingress: [
    {
      streamId: 'fffffffffffffffd',
      encodingId: 0,
      kind: 'video',
      mid: '0',
      ssrc: 1,
      codecs: [{ payloadType: 96, name: 'vp8', clockRate: 90_000 }],
      extensions: {},
      nack: true,
      keyFrameRequests: true,
      transportCc: true,
    },
  ],
  egress: [
    {
      streamId: 'fffffffffffffffc',
      encodingId: 0,
      kind: 'video',
      mid: '1',
      ssrc: 2,
      rtxSsrc: 3,
      clockRate: 90_000,
      payloadTypes: [{ from: 96, to: 96, rtx: 97 }],
      extensions: [],
      enabled: true,
    },
  ],
};
