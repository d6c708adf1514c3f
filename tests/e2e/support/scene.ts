import type { Browser } from 'playwright-core';
import { launchChromium, startPlatform, type Platform, type PlatformOptions } from '@godwit/testing';
import { Api, join, openCallPage, type CallPage, type Joined } from './call.js';
import { openTestNetwork, type TestNetwork } from './environment.js';

export interface SceneOptions {
  readonly clients: number;
  readonly platform?: Omit<PlatformOptions, 'prefix'>;
  readonly publish?: Record<string, unknown>;
  /** By client number; default: all migrate. */
  readonly migrates?: (client: number) => boolean;
}

/** A platform, a browser and some people in one session. */
export interface Scene {
  readonly network: TestNetwork;
  readonly platform: Platform;
  readonly browser: Browser;
  readonly api: Api;
  readonly pages: readonly CallPage[];
  readonly joined: readonly Joined[];
  readonly sessionId: string;
  close(): Promise<void>;
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export async function openScene(options: SceneOptions): Promise<Scene> {
  const network = openTestNetwork();
  const platform = await startPlatform({
    ...options.platform,
    prefix: network.prefix,
    env: { GODWIT_MIGRATION_MIN_AGE_SECONDS: '0', ...options.platform?.env },
  });
  const browser = await launchChromium({ prefix: network.prefix, fakeDevices: true });
  const close = async (): Promise<void> => {
    await browser.close();
    await platform.stop();
    network.remove();
  };
  try {
    const pages: CallPage[] = [];
    for (let number = 0; number < options.clients; number++) {
      pages.push(await openCallPage(browser, platform, `client ${number + 1}`));
    }
    const [first] = pages;
    if (first === undefined) throw new Error('a scene needs a client');
    const api = new Api(first, platform);
    const sessionId = await api.createSession();
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
    const scene: Scene = { network, platform, browser, api, pages, joined, sessionId, close };
    await everybodySees(scene);
    return scene;
  } catch (error) {
    await close();
    throw error;
  }
}

/** Resolves when every page plays the video of every other one. */
export async function everybodySees({ pages, platform }: Scene, timeoutMs = 30_000): Promise<void> {
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
export function videosPlaying({ page }: CallPage): Promise<number> {
  return page.evaluate(() => Object.keys(window.call.frameGaps(performance.now() - 1_000, Infinity)).length);
}

/** Counters of all pages, added up. */
export async function totals(pages: readonly CallPage[]): Promise<Record<string, number>> {
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
  { api, sessionId }: Scene,
  body: { target?: string; rehearsal?: boolean } = {},
): Promise<Awaited<ReturnType<Api['migrated']>>> {
  const answer = await api.migrate(sessionId, body);
  if (answer.status !== 200) throw new Error(`migrate: ${answer.status} ${JSON.stringify(answer.body)}`);
  return api.migrated(sessionId, String(answer.body['id']));
}
