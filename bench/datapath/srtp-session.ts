import { createCipheriv } from 'node:crypto';

/** Session key and salt of one direction, AES-128-GCM (RFC 3711 4.3, RFC 7714 11). */
export function deriveSrtpSession(masterKey: Buffer, masterSalt: Buffer): { key: Buffer; salt: Buffer } {
  const derive = (label: number, length: number): Buffer => {
    const counter = Buffer.alloc(16);
    masterSalt.copy(counter);
    counter[7]! ^= label;
    return createCipheriv('aes-128-ctr', masterKey, counter).update(Buffer.alloc(length));
  };
  return { key: derive(0, 16), salt: derive(2, 12) };
}
