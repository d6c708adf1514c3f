import { existsSync, readdirSync } from 'node:fs';
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
/** Where a Firefox may be; GODWIT_TEST_FIREFOX wins. */
const FIREFOXES = [
  '/usr/bin/firefox-esr',
  '/usr/bin/firefox',
  '/Applications/Firefox.app/Contents/MacOS/firefox',
];
/** Tools besides the browsers, with the Debian package of each: network namespaces, losses, captures for the nonce audit. */
const COMMANDS = [
  { command: 'ip', debianPackage: 'iproute2' },
  { command: 'nft', debianPackage: 'nftables' },
  { command: 'tcpdump', debianPackage: 'tcpdump' },
];
/** The browser, and one font: without any the pages of the tests have no text. */
const CHROMIUM_PACKAGES = ['chromium', 'fonts-dejavu-core'];
const FIREFOX_PACKAGES = ['firefox-esr'];

/** Debian's package starts a server of its own unless told not to: the tests start theirs. */
const POSTGRES_PACKAGES = ['postgresql'];
const POSTGRES_FOLDER = '/usr/lib/postgresql';
const CLUSTER_SETTINGS = '/etc/postgresql-common/createcluster.conf';
const NO_CLUSTER = `mkdir -p ${path.dirname(CLUSTER_SETTINGS)} && { test -e ${CLUSTER_SETTINGS} || echo create_main_cluster=false > ${CLUSTER_SETTINGS}; }`;

const isRoot = () => process.getuid?.() === 0;

/** Whether this machine can run the browser tests at all: they make network namespaces and listen on them. */
export const canRunBrowserTests = () => process.platform === 'linux' && isRoot();

const firstOf = (files) => files.find((file) => file && existsSync(file));
const findChromium = () => firstOf([process.env.GODWIT_TEST_CHROMIUM, ...CHROMIUMS]);
const findFirefox = () => firstOf([process.env.GODWIT_TEST_FIREFOX, ...FIREFOXES]);

function hasCommand(command) {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'];
  return folders.some((folder) => folder !== '' && existsSync(path.join(folder, command)));
}

const hasPostgres = () =>
  process.env.GODWIT_TEST_POSTGRES !== undefined ||
  (existsSync(POSTGRES_FOLDER) && readdirSync(POSTGRES_FOLDER).length > 0);

function missingPackages() {
  return [
    ...(hasPostgres() ? [] : POSTGRES_PACKAGES),
    ...(findChromium() === undefined ? CHROMIUM_PACKAGES : []),
    ...(findFirefox() === undefined ? FIREFOX_PACKAGES : []),
    ...COMMANDS.filter(({ command }) => !hasCommand(command)).map(({ debianPackage }) => debianPackage),
  ];
}

/**
 * Makes sure of what the browser tests need and returns the settings that name the browsers to drive. Installs Debian's
 * packages as root; where that does not help, ends with the command to run.
 */
export async function requireTestTools() {
  const missing = missingPackages();
  const prepare = missing.includes('postgresql') ? `${NO_CLUSTER} && ` : '';
  const command = `${prepare}apt-get update -q && apt-get install -y -q --no-install-recommends -o Dpkg::Options::=--force-confold ${missing.join(' ')}`;
  if (missing.length > 0 && isRoot() && existsSync('/usr/bin/apt-get')) {
    console.log(`godwit: installing ${missing.join(', ')} for the tests …`);
    await run('sh', ['-c', command], { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
  }
  if (missingPackages().length === 0) {
    return { GODWIT_TEST_CHROMIUM: findChromium(), GODWIT_TEST_FIREFOX: findFirefox() };
  }
  console.error(
    `godwit: the tests need ${missing.join(', ')}. Run: sudo sh -c '${command}' ` +
      '(other browsers: set GODWIT_TEST_CHROMIUM and GODWIT_TEST_FIREFOX to their paths).',
  );
  process.exit(1);
}
