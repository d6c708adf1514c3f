// Preloaded into control and nodes by NODE_OPTIONS: answers on a Unix socket what this process holds after a full collection.
// A Unix socket is reachable from outside of the process's network namespace.
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

const folder = process.env.GODWIT_TEST_PROBES;

function vitals(collect) {
  // Twice: finalizers of the first run release what the second collects.
  collect();
  collect();
  const resources = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  return { memory: process.memoryUsage(), resources };
}

if (isMainThread && folder !== undefined) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end(JSON.stringify(vitals(collect)));
  });
  server.listen(join(folder, `${process.pid}.sock`));
  server.unref();
}
