import { describe, expect, it } from 'vitest';
import type { NodePeer } from '@godwit/protocol';
import { NodeIdentity } from './identity.js';

function peerOf(identity: NodeIdentity, nodeId: string): NodePeer {
  return {
    nodeId,
    identityKey: identity.identityKey.toString('base64'),
    linkKey: identity.linkKey.toString('base64'),
    linkKeySignature: identity.linkKeySignature.toString('base64'),
    bootId: identity.bootId,
    linkAddress: { address: '127.0.0.1', port: 1, family: 'IPv4' },
  };
}

describe('link keys', () => {
  it('are the same at both ends, one direction each, and of this pair of processes only', () => {
    const [a, b, c] = [new NodeIdentity(), new NodeIdentity(), new NodeIdentity()];
    const atA = a.linkSecrets(peerOf(b, 'b'));
    const atB = b.linkSecrets(peerOf(a, 'a'));
    expect(atA?.sessionId).toEqual(atB?.sessionId);
    expect(atA?.sendKey).toEqual(atB?.receiveKey);
    expect(atA?.sendSalt).toEqual(atB?.receiveSalt);
    expect(atA?.receiveKey).toEqual(atB?.sendKey);
    expect(atA?.sendKey).not.toEqual(atA?.receiveKey);
    expect(a.linkSecrets(peerOf(c, 'c'))?.sendKey).not.toEqual(atA?.sendKey);
  });

  it('are refused when the identity has not signed them for this process life', () => {
    const [a, b, mallory] = [new NodeIdentity(), new NodeIdentity(), new NodeIdentity()];
    const honest = peerOf(b, 'b');
    expect(a.linkSecrets({ ...honest, linkKey: peerOf(mallory, 'b').linkKey })).toBeNull();
    expect(a.linkSecrets({ ...honest, bootId: '0000000000000000' })).toBeNull();
    expect(a.linkSecrets({ ...honest, linkKeySignature: '' })).toBeNull();
    expect(a.linkSecrets({ ...honest, identityKey: 'AAAA' })).toBeNull();
  });

  it('refuse a peer key of low order', () => {
    const a = new NodeIdentity();
    expect(
      a.linkSecrets({ ...peerOf(new NodeIdentity(), 'b'), linkKey: Buffer.alloc(32).toString('base64') }),
    ).toBeNull();
  });
});
