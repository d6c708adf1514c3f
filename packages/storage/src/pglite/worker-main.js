// Plain JavaScript with checked types, because a worker thread is started from the file itself, from source as
// well as from the build.
import { readFile } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';

/** @typedef {{ id: number, sql: string, parameters: unknown[] } | { id: number, close: true }} Request */

if (parentPort === null) throw new Error('worker-main.js runs in a worker thread only');
const port = parentPort;
const { folder, seed } = /** @type {{ folder: string, seed?: string }} */ (workerData);
const database = await PGlite.create({
  dataDir: folder,
  ...(seed === undefined ? {} : { loadDataDir: await packed(seed) }),
});

/** @param {string} path */
async function packed(path) {
  return new Blob([await readFile(path)], { type: 'application/x-gzip' });
}

/** @param {Request} request */
async function handle(request) {
  if ('close' in request) {
    await database.close();
    return { rows: [], affectedRows: 0 };
  }
  const result = await database.query(request.sql, request.parameters);
  return { rows: result.rows, affectedRows: result.affectedRows ?? 0 };
}

port.on('message', (/** @type {Request} */ request) => {
  handle(request).then(
    (result) => port.postMessage({ id: request.id, result }),
    (/** @type {unknown} */ error) => port.postMessage({ id: request.id, error: describe(error) }),
  );
});
port.postMessage({ ready: true });

/** @param {unknown} error */
function describe(error) {
  const { message, code } = /** @type {{ message?: string, code?: string }} */ (error ?? {});
  return { message: message ?? String(error), code };
}
