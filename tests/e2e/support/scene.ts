import type { Browser, Page } from 'playwright-core';
import {
  launchChromium,
  launchFirefox,
  startPlatform,
  type Firefox,
  type MigrationReply,
  type Platform,
  type PlatformApi,
  type PlatformOptions,
  type TestPage,
} from '@godwit/testing';
import { apiThrough, join, openCallPage, type CallPage, type Joined } from './call.js';
import { openTestNetwork, type TestNetwork } from './environment.js';

export interface SceneOptions {
  readonly clients: number;
  readonly platform?: Omit<PlatformOptions, 'prefix'>;
  readonly publish?: Record<string, unknown>;
  /** By client number; default: all migrate. */
  readonly migrates?: (client: number) => boolean;
  /** Runs in each page before the SDK. */
  readonly firstScript?: string;
}

/** Some of the people sit at a Firefox. */
export interface MixedSceneOptions extends SceneOptions {
  /** By client number. */
  readonly usesFirefox: (client: number) => boolean;
}

/** A platform, a browser or two, and some people in one session. */
export interface Scene<P extends TestPage = Page> {
  readonly network: TestNetwork;
  readonly platform: Platform;
  readonly browser: Browser;
  readonly api: PlatformApi;
  readonly pages: readonly CallPage<P>[];
  readonly joined: readonly Joined[];
  readonly sessionId: string;
  close(): Promise<void>;
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export function openScene(options: MixedSceneOptions): Promise<Scene<TestPage>>;
export function openScene(options: SceneOptions): Promise<Scene>;
export async function openScene(options: SceneOptions | MixedSceneOptions): Promise<Scene<TestPage>> {
  const network = openTestNetwork();
  const { prefix } = network;
  const platform = await startPlatform({
    ...options.platform,
    prefix,
    env: { GODWIT_MIGRATION_MIN_AGE_SECONDS: '0', ...options.platform?.env },
  });
  const browser = await launchChromium({ prefix, fakeDevices: true });
  let firefox: Firefox | null = null;
  const close = async (): Promise<void> => {
    await firefox?.close();
    await browser.close();
    await platform.stop();
    network.remove();
  };
  try {
    const pages: CallPage<TestPage>[] = [];
    for (let number = 0; number < options.clients; number++) {
      const usesFirefox = 'usesFirefox' in options && options.usesFirefox(number);
      if (usesFirefox) firefox ??= await launchFirefox({ prefix, fakeDevices: true });
      const opener = usesFirefox && firefox !== null ? firefox : browser;
      pages.push(await openCallPage<TestPage>(opener, platform, `client ${number + 1}`, options.firstScript));
    }
    const [first] = pages;
    if (first === undefined) throw new Error('a scene needs a client');
    const api = apiThrough(first, platform);
    const sessionId = await api.createSession();
    const joined = await joinAll(options, pages, platform, { api, sessionId });
    const scene: Scene<TestPage> = { network, platform, browser, api, pages, joined, sessionId, close };
    await everybodySees(scene);
    return scene;
  } catch (error) {
    await close();
    throw error;
  }
}

async function joinAll(
  options: SceneOptions,
  pages: readonly CallPage<TestPage>[],
  platform: Platform,
  { api, sessionId }: { api: PlatformApi; sessionId: string },
): Promise<Joined[]> {
  const joined: Joined[] = [];
  for (const [number, page] of pages.entries()) {
    joined.push(
      await join(page, platform, {
        sessionId,
        token: await api.token(sessionId),
        sessionMigration: options.migrates?.(number) ?? true,
        publish: { resolution: '320x180', frameRate: 30, name: page.name, ...options.publish },
      }),
    );
  }
  return joined;
}

/** Resolves when every page plays the video of every other one. */
export async function everybodySees({ pages, platform }: Scene<TestPage>, timeoutMs = 30_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const playing = await Promise.all(pages.map((page) => videosPlaying(page)));
    if (playing.every((count) => count === pages.length - 1)) return;
    if (Date.now() > deadline) {
      const events = await Promise.all(pages.map(({ page }) => page.evaluate(() => window.call.events)));
      throw new Error(
        `playing ${playing.join()}: ${JSON.stringify(events)}\n${platform.log.slice(-60).join('\n')}`,
      );
    }
    await sleep(200);
  }
}

/** Videos that showed a new frame within the last second. */
export function videosPlaying({ page }: CallPage<TestPage>): Promise<number> {
  return page.evaluate(() => Object.keys(window.call.frameGaps(performance.now() - 1_000, Infinity)).length);
}

/** Counters of all pages, added up. */
export async function totals(pages: readonly CallPage<TestPage>[]): Promise<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const counted of await Promise.all(
    pages.map(({ page }) => page.evaluate(() => window.call.counters())),
  )) {
    for (const [key, value] of Object.entries(counted)) {
      if (typeof value === 'number') sums[key] = (sums[key] ?? 0) + value;
    }
  }
  return sums;
}

/** Moves the session and waits for the end. */
export async function migrate(
  { api, sessionId }: Scene<TestPage>,
  body: { target?: string; rehearsal?: boolean } = {},
): Promise<MigrationReply> {
  const answer = await api.migrate(sessionId, body);
  if (answer.status !== 200) throw new Error(`migrate: ${answer.status} ${JSON.stringify(answer.body)}`);
  return api.migrated(sessionId, String(answer.body['id']));
}
