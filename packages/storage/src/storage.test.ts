import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findPostgres, PostgresServer } from '@godwit/testing';
import { rosterContract, storageContract } from './contract/index.js';
import { lockFolder } from './lock-file.js';
import { openFolderStorage, openMemoryStorage, openPostgresStorage, type Storage } from './storage.js';
import { openPlainStorage } from './testing/index.js';

describe('storage in memory', () => {
  let storage: Storage;
  beforeAll(async () => {
    storage = await openMemoryStorage();
  }, 60_000);
  afterAll(() => storage.close());

  storageContract({ it, equal: (actual, expected) => expect(actual).toEqual(expected) }, () => storage);
});

// `npm test` installs it where it can, and says so where it cannot.
describe.skipIf(findPostgres() === null)('storage on PostgreSQL', () => {
  let server: PostgresServer;
  let storage: Storage;
  beforeAll(async () => {
    server = await PostgresServer.start();
    storage = await openPostgresStorage(server.url);
  }, 90_000);
  afterAll(async () => {
    await storage.close();
    await server.close();
  });

  storageContract({ it, equal: (actual, expected) => expect(actual).toEqual(expected) }, () => storage);

  it('takes a schema that another control has brought up to date at the same time', async () => {
    const url = await server.createDatabase('migrated_twice');
    const opened = await Promise.all([openPostgresStorage(url), openPostgresStorage(url)]);
    for (const other of opened) await other.close();
  });

  it('says soon and plainly that the server is away, and goes on when it is back', async () => {
    await server.stop();
    const failure = await storage.meta.get('x').catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'unavailable', retryable: true });
    expect(String(failure)).not.toContain('127.0.0.1');
    await server.restart();
    expect(await storage.meta.get('x')).toBe(null);
  });
});

describe('storage in plain tables', () => {
  const storage = openPlainStorage();

  rosterContract({ it, equal: (actual, expected) => expect(actual).toEqual(expected) }, () => storage);
});

describe('storage in a folder', () => {
  it('keeps what was written, and locks the folder while it is open', { timeout: 120_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'godwit-storage-'));
    const first = await openFolderStorage(folder);
    await first.meta.set('kept', 'yes');
    expect(Number(await readFile(join(folder, 'godwit.lock'), 'utf8'))).toBe(process.pid);
    await first.close();
    const second = await openFolderStorage(folder);
    expect(await second.meta.get('kept')).toBe('yes');
    await second.close();
    await rm(folder, { recursive: true });
  });
});

describe('lock file', () => {
  it('names the live owner and the remedy, and is taken over from a dead one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'godwit-lock-'));
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    await writeFile(join(folder, 'godwit.lock'), `${other.pid}\n`);
    await expect(lockFolder(folder)).rejects.toThrow(
      `in use by process ${other.pid}. Stop that process, or set GODWIT_DATA_DIR`,
    );
    const gone = new Promise((resolve) => other.on('exit', resolve));
    other.kill('SIGKILL');
    await gone;
    const lock = await lockFolder(folder);
    expect(Number(await readFile(join(folder, 'godwit.lock'), 'utf8'))).toBe(process.pid);
    await lock.release();
    await rm(folder, { recursive: true });
  });
});
