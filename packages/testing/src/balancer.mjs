// `node balancer.mjs <port> <backend port>…`: a TCP balancer on loopback, as stands before several controls. Connections go to
// the backends in turn; one that does not answer is passed over.
import { connect, createServer } from 'node:net';

const [port, ...backends] = process.argv.slice(2).map(Number);
let turn = 0;

const server = createServer((client) => {
  client.on('error', () => undefined);
  reach(client, turn++, backends.length);
});

function reach(client, from, attempts) {
  if (attempts === 0 || client.destroyed) {
    client.destroy();
    return;
  }
  const backend = connect(backends[from % backends.length], '127.0.0.1');
  const refused = () => reach(client, from + 1, attempts - 1);
  backend.once('error', refused);
  backend.once('connect', () => {
    backend.off('error', refused);
    backend.on('error', () => undefined);
    backend.on('close', () => client.destroy());
    client.on('close', () => backend.destroy());
    client.pipe(backend).pipe(client);
  });
}

server.listen(port, '127.0.0.1');
