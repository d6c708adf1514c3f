import { chmodSync, existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';

const CANDIDATES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Flags that only make a browser quiet and runnable in a container; none of them touches WebRTC. */
const QUIET_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** A browser under automation would otherwise slow down pages that it believes hidden. */
const AWAKE_FLAGS = [
  '--disable-renderer-backgrounding',
  '--disable-backgrounding-occluded-windows',
  '--disable-background-timer-throttling',
];

export interface ChromiumOptions {
  readonly prefix?: readonly string[];
  /** A camera and a microphone that need no hardware and no permission. */
  readonly fakeDevices?: boolean;
  readonly flags?: readonly string[];
}

export function chromiumPath(): string {
  const path = process.env['GODWIT_TEST_CHROMIUM'] ?? CANDIDATES.find((candidate) => existsSync(candidate));
  if (path === undefined)
    throw new Error('no Chromium found: apt-get install chromium, or set GODWIT_TEST_CHROMIUM');
  return path;
}

export async function launchChromium(options: ChromiumOptions = {}): Promise<Browser> {
  const flags = [...QUIET_FLAGS, ...AWAKE_FLAGS, ...(options.flags ?? [])];
  if (options.fakeDevices === true) {
    flags.push('--use-fake-device-for-media-stream=fps=30', '--use-fake-ui-for-media-stream');
    flags.push('--autoplay-policy=no-user-gesture-required');
  }
  return chromium.launch({ executablePath: wrapped(options.prefix ?? []), headless: true, args: flags });
}

/** Playwright starts one executable; inside a namespace that is a script of one line. */
function wrapped(prefix: readonly string[]): string {
  if (prefix.length === 0) return chromiumPath();
  const script = join(mkdtempSync(join(tmpdir(), 'godwit-chromium-')), 'chromium');
  writeFileSync(script, `#!/bin/sh\nexec ${prefix.join(' ')} ${chromiumPath()} "$@"\n`);
  chmodSync(script, 0o755);
  return script;
}
