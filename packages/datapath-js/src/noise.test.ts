import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createDatapath } from './index.js';

it('survives any datagram on any socket, from a bound address too', async () => {
  const datapath = createDatapath({ onExceptions: () => undefined });
  const address = { address: '127.0.0.1', port: 0, family: 'IPv4' } as const;
  const client = await datapath.openSocket({ ...address, purpose: 'client' });
  const link = await datapath.openSocket({ ...address, purpose: 'link' });
  const sender = createSocket('udp4');
  sender.bind(0, '127.0.0.1');
  await once(sender, 'listening');
  const id = '00000000000000aa';
  datapath.addTransport(id);
  datapath.bindRemote(id, client.handle, {
    address: '127.0.0.1',
    port: sender.address().port,
    family: 'IPv4',
  });
  datapath.installKeys(id, {
    profile: 'AEAD_AES_128_GCM',
    localKey: randomBytes(16),
    localSalt: randomBytes(12),
    remoteKey: randomBytes(16),
    remoteSalt: randomBytes(12),
  });
  datapath.setInbound(id, { kind: 'own' });
  const firstByte = fc.constantFrom(0, 1, 3, 20, 22, 63, 64, 127, 128, 144, 159, 160, 191, 192, 255);
  const datagrams = fc.sample(fc.tuple(firstByte, fc.uint8Array({ maxLength: 1_600 })), 300);
  for (const [first, rest] of datagrams) {
    const bytes = Buffer.concat([Buffer.from([first]), rest]);
    sender.send(bytes, client.port, '127.0.0.1');
    sender.send(bytes, link.port, '127.0.0.1');
    await new Promise((resolve) => setImmediate(resolve));
  }
  while ((datapath.counters()['packets_received'] ?? 0) < datagrams.length) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  expect(datapath.counters()).toMatchObject({ packets_forwarded: 0, dropped_unbound: 0 });
  sender.close();
  await datapath.close();
});
