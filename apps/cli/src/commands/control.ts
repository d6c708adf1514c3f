import { readFile } from 'node:fs/promises';
import { createControl, loadSecrets, parseSettings, type ControlSettings } from '@godwit/control';
import { CliError } from '../errors.js';
import { browserParts } from '../installation.js';
import { endAfter, sayReady, untilAskedToStop } from '../lifetime.js';
import { STOP_GRACE_MS } from '../limits.js';

/** Runs one control plane process until it is asked to stop. Settings come from the environment. */
export async function control(): Promise<void> {
  const asked = untilAskedToStop();
  const settings = parseSettings(process.env);
  const tls = await readCertificate(settings);
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
async function readCertificate({
  tlsFiles,
}: ControlSettings): Promise<{ cert: string; key: string } | undefined> {
  if (tlsFiles === undefined) return undefined;
  const [cert, key] = await Promise.all([readPem(tlsFiles.cert), readPem(tlsFiles.key)]);
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
