// Sends malformed and hostile datagrams to UDP ports: node garbage.mjs <address> <port,port,…> <datagrams per port>
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';

const [address, ports, count] = process.argv.slice(2);
const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
const MAGIC = Buffer.from('2112a442', 'hex');

function stun(length) {
  const body = randomBytes(length & ~3);
  const header = Buffer.concat([
    Buffer.from([0, 1, body.length >> 8, body.length & 255]),
    MAGIC,
    randomBytes(12),
  ]);
  return Buffer.concat([header, body]);
}
function stunWithUsername() {
  const name = Buffer.from('AAAAAAAAAAAAAAAA:BBBB');
  const padded = Buffer.alloc((name.length + 3) & ~3);
  name.copy(padded);
  const attribute = Buffer.concat([Buffer.from([0, 6, 0, name.length]), padded]);
  return Buffer.concat([Buffer.from([0, 1, 0, attribute.length]), MAGIC, randomBytes(12), attribute]);
}
function starting(first, length) {
  const bytes = randomBytes(Math.max(1, length));
  bytes[0] = first;
  return bytes;
}
const makers = [
  () => randomBytes(1 + Math.floor(Math.random() * 1400)),
  () => stun(Math.floor(Math.random() * 200)),
  stunWithUsername,
  () => starting(0x80, 12 + Math.floor(Math.random() * 1200)),
  () => starting(0x90, Math.floor(Math.random() * 30)),
  () => starting(22, Math.floor(Math.random() * 300)),
  () => Buffer.alloc(0),
];
for (let n = 0; n < Number(count); n++) {
  for (const port of ports.split(',')) {
    const make = makers[n % makers.length];
    socket.send(make(), Number(port), address);
  }
  if (n % 20 === 19) await new Promise((resolve) => setTimeout(resolve, 5));
}
await new Promise((resolve) => setTimeout(resolve, 200));
socket.close();
