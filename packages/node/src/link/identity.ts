import {
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import type { NodePeer } from '@godwit/protocol';

const LINK_KEY_CONTEXT = 'godwit-link-key';
const LINK_SESSION_CONTEXT = 'godwit-link-session-1';
const X25519_RAW_BYTES = 32;
/** DER around a raw X25519 public key (RFC 8410). */
const X25519_SPKI_PREFIX = Buffer.from('302a300506032b656e032100', 'hex');

/**
 * Who this process is: an Ed25519 key pair that control pins, and an X25519 pair for links. Both live as long as the
 * process and never touch the disk, so a copied disk image can impersonate nobody.
 */
export class NodeIdentity {
  readonly bootId: string = randomBytes(8).toString('hex');
  readonly identityKey: Buffer;
  readonly linkKey: Buffer;
  readonly linkKeySignature: Buffer;
  readonly #identityPrivate: KeyObject;
  readonly #linkPrivate: KeyObject;

  constructor() {
    const identity = generateKeyPairSync('ed25519');
    const link = generateKeyPairSync('x25519');
    this.#identityPrivate = identity.privateKey;
    this.#linkPrivate = link.privateKey;
    this.identityKey = identity.publicKey.export({ type: 'spki', format: 'der' });
    this.linkKey = link.publicKey.export({ type: 'spki', format: 'der' }).subarray(-X25519_RAW_BYTES);
    this.linkKeySignature = sign(null, linkKeyStatement(this.bootId, this.linkKey), this.#identityPrivate);
  }

  /** HMAC over control's nonce: the join key itself never leaves this machine. */
  joinProof(joinKey: string, nonce: Buffer): Buffer {
    return createHmac('sha256', joinKey).update(nonce).update(this.identityKey).update(this.linkKey).digest();
  }

  sign(bytes: Buffer): Buffer {
    return sign(null, bytes, this.#identityPrivate);
  }

  /** Null when the peer's link key is not signed by the identity that control names for it. */
  linkSecrets(peer: NodePeer): LinkSecrets | null {
    const peerLinkKey = Buffer.from(peer.linkKey, 'base64');
    if (peerLinkKey.length !== X25519_RAW_BYTES) return null;
    try {
      const identityKey = createPublicKey({
        key: Buffer.from(peer.identityKey, 'base64'),
        type: 'spki',
        format: 'der',
      });
      const signature = Buffer.from(peer.linkKeySignature, 'base64');
      if (!verify(null, linkKeyStatement(peer.bootId, peerLinkKey), identityKey, signature)) return null;
      return deriveLinkSecrets(this.#linkPrivate, this.linkKey, peerLinkKey);
    } catch {
      return null;
    }
  }
}

export interface LinkSecrets {
  readonly sessionId: Buffer;
  readonly sendKey: Buffer;
  readonly sendSalt: Buffer;
  readonly receiveKey: Buffer;
  readonly receiveSalt: Buffer;
}

function linkKeyStatement(bootId: string, linkKey: Buffer): Buffer {
  return Buffer.concat([Buffer.from(LINK_KEY_CONTEXT), Buffer.from(bootId, 'hex'), linkKey]);
}

/**
 * Both ends derive the same two directions: the end with the smaller public key takes the first. Fresh for every pair
 * of process lives, because both X25519 pairs are.
 */
function deriveLinkSecrets(ourPrivate: KeyObject, ours: Buffer, theirs: Buffer): LinkSecrets {
  const shared = diffieHellman({
    privateKey: ourPrivate,
    publicKey: createPublicKey({
      key: Buffer.concat([X25519_SPKI_PREFIX, theirs]),
      type: 'spki',
      format: 'der',
    }),
  });
  const first = Buffer.compare(ours, theirs) < 0;
  const salt = first ? Buffer.concat([ours, theirs]) : Buffer.concat([theirs, ours]);
  const material = Buffer.from(hkdfSync('sha256', shared, salt, LINK_SESSION_CONTEXT, 8 + 2 * (32 + 12)));
  shared.fill(0);
  const key = (n: number): Buffer => material.subarray(8 + n * 44, 8 + n * 44 + 32);
  const saltOf = (n: number): Buffer => material.subarray(8 + n * 44 + 32, 8 + n * 44 + 44);
  const [send, receive] = first ? [0, 1] : [1, 0];
  return {
    sessionId: material.subarray(0, 8),
    sendKey: key(send),
    sendSalt: saltOf(send),
    receiveKey: key(receive),
    receiveSalt: saltOf(receive),
  };
}
