import { readFile } from 'node:fs/promises';
import { createControl, loadSecrets, parseSettings } from '@godwit/control';
import { CliError } from '../errors.js';
import { browserParts } from '../installation.js';
import { endAfter, sayReady, untilAskedToStop } from '../lifetime.js';
import { STOP_GRACE_MS } from '../limits.js';

/** Runs one control plane process until it is asked to stop. Settings come from the environment. */
export async function control(): Promise<void> {
  const asked = untilAskedToStop();
  const settings = parseSettings(process.env, process.env['GODWIT_SETTINGS_FILE']);
  const tls = await readCertificate();
  const running = await createControl({
    settings,
    secrets: await loadSecrets(settings),
    ...browserParts(),
    // Whoever supervises this process may start it again: it waits for its turn then.
    onTaken: () => process.exit(1),
    ...(tls === undefined ? {} : { tls }),
  });
  const { url } = await running.listen();
  console.log(`control listens on ${url}`);
  sayReady(url);
  await asked;
  await endAfter(() => running.close(), STOP_GRACE_MS);
}

/** The certificate named by GODWIT_TLS_CERT_FILE and GODWIT_TLS_KEY_FILE (PEM), if any. */
async function readCertificate(): Promise<{ cert: string; key: string } | undefined> {
  const certFile = process.env['GODWIT_TLS_CERT_FILE'];
  const keyFile = process.env['GODWIT_TLS_KEY_FILE'];
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (certFile === undefined || keyFile === undefined) {
    throw new CliError(
      'configuration',
      'GODWIT_TLS_CERT_FILE and GODWIT_TLS_KEY_FILE belong together: set both, or neither.',
    );
  }
  const [cert, key] = await Promise.all([readPem(certFile), readPem(keyFile)]);
  return { cert, key };
}

async function readPem(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new CliError('configuration', `${file} cannot be read. Check the path and its permissions.`, {
      cause,
    });
  }
}
