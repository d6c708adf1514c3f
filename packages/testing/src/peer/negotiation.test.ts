import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { parseOffer } from '@godwit/rtp';
import { createIceCredentials } from '@godwit/transport';
import type { MediaTransport } from './media-transport.js';
import { Negotiation } from './negotiation.js';
import type { SignallingClient } from './signalling-client.js';

it('offers an m-line although nothing is sent or received, as a client that takes up nothing elsewhere', async () => {
  const offered: { sdp: string; newTransport?: boolean }[] = [];
  const signalling = {
    request: (_type: string, offer: { sdp: string }) => {
      offered.push(offer);
      return Promise.reject(new Error('enough was seen'));
    },
  };
  const fingerprint = { algorithm: 'sha-256', value: Array.from({ length: 32 }, () => 'AB').join(':') };
  const negotiation = new Negotiation({
    transport: { ice: createIceCredentials(randomBytes), fingerprint } as unknown as MediaTransport,
    isReplacement: true,
    signalling: () => signalling as unknown as SignallingClient,
    answered: () => undefined,
  });
  await expect(negotiation.negotiate()).rejects.toThrow('enough');
  expect(offered).toMatchObject([{ newTransport: true, publications: [], subscriptions: [] }]);
  expect(parseOffer(offered[0]?.sdp ?? '')).toMatchObject({
    ok: true,
    offer: { sections: [{ kind: 'audio', direction: 'inactive', rejected: false }] },
  });
});
