import { existsSync } from 'node:fs';
import path from 'node:path';
import { run } from './run.mjs';

/** Where a Chromium may be; GODWIT_TEST_CHROMIUM wins. */
const CHROMIUMS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
/** Tools besides the browser, with the Debian package of each: network namespaces, losses, captures for the nonce audit. */
const COMMANDS = [
  { command: 'ip', debianPackage: 'iproute2' },
  { command: 'nft', debianPackage: 'nftables' },
  { command: 'tcpdump', debianPackage: 'tcpdump' },
];
/** The browser, and one font: without any the pages of the tests have no text. */
const CHROMIUM_PACKAGES = ['chromium', 'fonts-dejavu-core'];

const isRoot = () => process.getuid?.() === 0;

/** Whether this machine can run the browser tests at all: they make network namespaces and listen on them. */
export const canRunBrowserTests = () => process.platform === 'linux' && isRoot();

function findChromium() {
  return [process.env.GODWIT_TEST_CHROMIUM, ...CHROMIUMS].find((file) => file && existsSync(file));
}

function hasCommand(command) {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'];
  return folders.some((folder) => folder !== '' && existsSync(path.join(folder, command)));
}

function missingPackages() {
  return [
    ...(findChromium() === undefined ? CHROMIUM_PACKAGES : []),
    ...COMMANDS.filter(({ command }) => !hasCommand(command)).map(({ debianPackage }) => debianPackage),
  ];
}

/**
 * Makes sure of what the browser tests need and returns the path of the Chromium to drive. Installs Debian's packages
 * as root; where that does not help, ends with the command to run.
 */
export async function requireTestTools() {
  const missing = missingPackages();
  const command = `apt-get update -q && apt-get install -y -q --no-install-recommends ${missing.join(' ')}`;
  if (missing.length > 0 && isRoot() && existsSync('/usr/bin/apt-get')) {
    console.log(`godwit: installing ${missing.join(', ')} for the browser tests …`);
    await run('sh', ['-c', command], { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
  }
  const chromium = findChromium();
  if (chromium !== undefined && missingPackages().length === 0) return chromium;
  console.error(
    `godwit: the browser tests need ${missing.join(', ')}. Run: sudo sh -c '${command}' ` +
      '(another Chromium: set GODWIT_TEST_CHROMIUM to its path).',
  );
  process.exit(1);
}
