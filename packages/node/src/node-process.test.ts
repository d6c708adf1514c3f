import { once } from 'node:events';
import { createSocket } from 'node:dgram';
import { createServer, type AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { startNode } from './node-process.js';
import { parseNodeSettings } from './settings.js';

it('leaves no socket behind when it cannot start', async () => {
  const occupied = createServer().listen(0, '127.0.0.1');
  const probe = createSocket('udp4').bind(0, '127.0.0.1');
  await Promise.all([once(occupied, 'listening'), once(probe, 'listening')]);
  const rtcPort = probe.address().port;
  await new Promise<void>((resolve) => {
    probe.close(resolve);
  });
  const settings = parseNodeSettings({
    GODWIT_CONTROL_URL: 'http://127.0.0.1:9',
    GODWIT_JOIN_KEY: 'a-join-key-of-some-length',
    GODWIT_ANNOUNCED_ADDRESSES: '127.0.0.1',
    GODWIT_RTC_PORTS: `${rtcPort}-${rtcPort}`,
    GODWIT_NODE_HTTP_PORT: String((occupied.address() as AddressInfo).port),
    GODWIT_LOG_LEVEL: 'silent',
  });
  await expect(startNode(settings)).rejects.toThrow(/EADDRINUSE/);
  const again = createSocket('udp4').bind(rtcPort, '127.0.0.1');
  await once(again, 'listening');
  again.close();
  occupied.close();
});
