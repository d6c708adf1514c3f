import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type Browser, type Page } from 'puppeteer-core';
import { PipedWebSocket } from './piped-web-socket.js';
import type { TestPage } from './test-page.js';

const CANDIDATES = [
  '/usr/bin/firefox-esr',
  '/usr/bin/firefox',
  '/Applications/Firefox.app/Contents/MacOS/firefox',
];
const START_TIMEOUT_MS = 60_000;
const END_TIMEOUT_MS = 10_000;

type Preferences = Readonly<Record<string, string | number | boolean>>;

/** Preferences that only make a browser quiet: nothing is fetched that no test asked for. None of them touches WebRTC. */
const QUIET: Preferences = {
  'app.normandy.enabled': false,
  'app.update.enabled': false,
  'browser.aboutwelcome.enabled': false,
  'browser.newtabpage.enabled': false,
  'browser.safebrowsing.downloads.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  // Its viewer of JSON answers forbids scripts to pages that start from one.
  'devtools.jsonview.enabled': false,
  'extensions.update.enabled': false,
  // The codec plug-in is a download; without it Firefox has no H264 here.
  'media.gmp-manager.updateEnabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'network.dns.disablePrefetch': true,
  'services.settings.server': 'data:,#godwit-tests',
  'toolkit.telemetry.enabled': false,
};
/** A browser under automation would otherwise slow down pages that it believes hidden. */
const AWAKE: Preferences = {
  'dom.min_background_timeout_value': 4,
  'dom.timeout.enable_budget_timer_throttling': false,
  'widget.windows.window_occlusion_tracking.enabled': false,
};
/** A camera and a microphone that need no hardware and no permission, and videos that play without a click. */
const FAKE_DEVICES: Preferences = {
  'media.autoplay.blocking_policy': 0,
  'media.autoplay.default': 0,
  'media.navigator.permission.disabled': true,
  'media.navigator.streams.fake': true,
};

export interface FirefoxOptions {
  readonly prefix?: readonly string[];
  /** A camera and a microphone that need no hardware and no permission. */
  readonly fakeDevices?: boolean;
  readonly preferences?: Preferences;
}

export interface Firefox {
  readonly version: string;
  newPage(): Promise<FirefoxPage>;
  /** Ends the browser and removes its profile, whatever state it is in. */
  close(): Promise<void>;
}

export interface FirefoxPage extends TestPage {
  readonly puppeteer: Page;
}

export function firefoxPath(): string {
  const path = process.env['GODWIT_TEST_FIREFOX'] ?? CANDIDATES.find((candidate) => existsSync(candidate));
  if (path === undefined)
    throw new Error('no Firefox found: apt-get install firefox-esr, or set GODWIT_TEST_FIREFOX');
  return path;
}

/** Starts Firefox with a fresh profile and speaks WebDriver BiDi with it, also into another network namespace. */
export async function launchFirefox(options: FirefoxOptions = {}): Promise<Firefox> {
  const prefix = options.prefix ?? [];
  const profile = mkdtempSync(join(tmpdir(), 'godwit-firefox-'));
  const preferences = { ...QUIET, ...AWAKE, ...(options.fakeDevices ? FAKE_DEVICES : {}) };
  writeFileSync(join(profile, 'user.js'), userJs({ ...preferences, ...options.preferences }));
  const line = [...prefix, firefoxPath(), '--headless', '--no-remote', '--profile', profile];
  const child = spawn(line[0] ?? '', [...line.slice(1), '--remote-debugging-port=0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, HOME: profile, MOZ_CRASHREPORTER_DISABLE: '1' },
    // A group of its own: Firefox's content processes end with it.
    detached: true,
  });
  let socket: PipedWebSocket | null = null;
  const end = async (browser?: Browser): Promise<void> => {
    await Promise.race([browser?.close().catch(() => undefined), pause(END_TIMEOUT_MS)]);
    await kill(child);
    socket?.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    socket = await PipedWebSocket.open(`${await listening(child)}/session`, prefix);
    const browser = await connect({ transport: socket, protocol: 'webDriverBiDi', defaultViewport: null });
    const version = await browser.version();
    return {
      version,
      newPage: async () => wrap(await browser.newPage()),
      close: () => end(browser),
    };
  } catch (error) {
    await end();
    throw error;
  }
}

function userJs(preferences: Preferences): string {
  return Object.entries(preferences)
    .map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`)
    .join('');
}

/** The WebSocket address that Firefox prints once it listens. */
function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let written = '';
    const fail = (why: string): void => reject(new Error(`Firefox ${why}:\n${written}`));
    const timer = setTimeout(() => fail('did not start'), START_TIMEOUT_MS);
    child.once('error', reject);
    child.once('exit', () => {
      clearTimeout(timer);
      fail('ended');
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      const url = /WebDriver BiDi listening on (ws:\S+)/.exec((written += chunk.toString()))?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      // What it prints later is read and dropped, or its pipe would fill.
      child.stderr?.removeAllListeners('data').resume();
      resolve(url);
    });
  });
}

function wrap(page: Page): FirefoxPage {
  return {
    puppeteer: page,
    goto: (url) => page.goto(url),
    setContent: (html) => page.setContent(html),
    addScriptTag: (tag) => page.addScriptTag(tag),
    evaluate: <Result, Argument>(
      inPage: (argument: Argument) => Result | Promise<Result>,
      ...argument: Argument[]
    ) => page.evaluate(inPage as (argument: unknown) => Result, ...argument) as Promise<Result>,
  };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref());

/** The whole group: a content process that hangs would outlive its browser. */
async function kill(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return;
  const ended = new Promise<void>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once('exit', () => resolve());
  });
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Nothing of the group is left.
  }
  await ended;
}
