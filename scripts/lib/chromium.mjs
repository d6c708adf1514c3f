import { existsSync } from 'node:fs';
import { run } from './run.mjs';

/** Where a Chromium may be; GODWIT_TEST_CHROMIUM wins. */
const CANDIDATES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

function find() {
  return [process.env.GODWIT_TEST_CHROMIUM, ...CANDIDATES].find((file) => file && existsSync(file));
}

/** The Chromium that the browser tests drive. Installs Debian's as root; otherwise ends with the command to run. */
export async function requireChromium() {
  const found = find();
  if (found) return found;
  const command = 'apt-get update && apt-get install -y --no-install-recommends chromium';
  const isRoot = process.getuid?.() === 0;
  if (isRoot && existsSync('/usr/bin/apt-get')) {
    console.log('godwit: installing Chromium for the browser tests …');
    await run('sh', ['-c', command], { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
    const installed = find();
    if (installed) return installed;
  }
  console.error(
    `godwit: the browser tests need Chromium. Run: sudo sh -c '${command}' (or set GODWIT_TEST_CHROMIUM to its path).`,
  );
  process.exit(1);
}
