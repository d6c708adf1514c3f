import { createControl, loadSecrets, parseSettings } from '@godwit/control';
import { browserParts } from '../installation.js';
import { endAfter, sayReady, untilAskedToStop } from '../lifetime.js';
import { STOP_GRACE_MS } from '../limits.js';

/** Runs one control plane process until it is asked to stop. Settings come from the environment. */
export async function control(): Promise<void> {
  const asked = untilAskedToStop();
  const settings = parseSettings(process.env);
  const running = await createControl({
    settings,
    secrets: await loadSecrets(settings),
    ...browserParts(),
    // Whoever supervises this process may start it again: it waits for its turn then.
    onTaken: () => process.exit(1),
  });
  const { url } = await running.listen();
  console.log(`control listens on ${url}`);
  sayReady(url);
  await asked;
  await endAfter(() => running.close(), STOP_GRACE_MS);
}
