import { readFile, stat } from 'node:fs/promises';
import type { Server } from 'node:https';
import { createSecureContext } from 'node:tls';
import type { Logger } from 'pino';
import { TLS_FILES_LOOK_MS } from '../limits.js';
import { SettingsError } from '../settings.js';

/** Where the certificate and its chain are, and the private key; PEM. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

interface Pem {
  readonly cert: string;
  readonly key: string;
}

/** The certificate of a listener: read once, and again when somebody has renewed it. The key is never shown. */
export class CertificateFiles {
  readonly #files: TlsFiles;
  readonly #log: Logger;
  #pem: Pem;
  #written: string;
  #lookedAtMs = -Infinity;

  private constructor(files: TlsFiles, log: Logger, pem: Pem, written: string) {
    this.#files = files;
    this.#log = log;
    this.#pem = pem;
    this.#written = written;
  }

  /** Reads both. Throws a SettingsError that names the file and the remedy. */
  static async read(files: TlsFiles, log: Logger): Promise<CertificateFiles> {
    const written = await writtenAt(files);
    return new CertificateFiles(files, log, await readPair(files), written);
  }

  get pem(): Pem {
    return this.#pem;
  }

  /** Looks every TLS_FILES_LOOK_MS whether they are others, and lets new connections have them. Never throws. */
  async tick(nowMs: number, server: Pick<Server, 'setSecureContext'>): Promise<void> {
    if (nowMs - this.#lookedAtMs < TLS_FILES_LOOK_MS) return;
    this.#lookedAtMs = nowMs;
    try {
      const written = await writtenAt(this.#files);
      if (written === this.#written) return;
      const pem = await readPair(this.#files);
      this.#written = written;
      this.#pem = pem;
      server.setSecureContext(pem);
      this.#log.info('the certificate was renewed');
    } catch (error) {
      // One of the two may be written a moment later than the other: the former pair serves on, and they are looked at again.
      this.#log.warn(
        { error: String(error) },
        'the certificate could not be renewed; the former one serves on',
      );
    }
  }
}

async function writtenAt({ cert, key }: TlsFiles): Promise<string> {
  const times = await Promise.all(
    [cert, key].map((file) =>
      stat(file).catch(() => {
        throw unreadable(file);
      }),
    ),
  );
  return times.map(({ mtimeMs, size, ino }) => `${mtimeMs} ${size} ${ino}`).join(', ');
}

async function readPair(files: TlsFiles): Promise<Pem> {
  const read = (file: string): Promise<string> =>
    readFile(file, 'utf8').catch(() => {
      throw unreadable(file);
    });
  const pem = { cert: await read(files.cert), key: await read(files.key) };
  try {
    createSecureContext(pem);
  } catch (error) {
    // OpenSSL's own words name the rule that is broken, and quote nothing.
    throw new SettingsError(
      `${files.cert} and ${files.key} are not a certificate and its private key in PEM form (${(error as NodeJS.ErrnoException).code ?? 'unknown'}).`,
    );
  }
  return pem;
}

const unreadable = (file: string): SettingsError =>
  new SettingsError(`${file} cannot be read. Check the path and its permissions.`);
