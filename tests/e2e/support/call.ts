import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { PlatformApi, type Platform, type TestPage } from '@godwit/testing';

const SCRIPT = readFileSync(new URL('./call-page.js', import.meta.url), 'utf8');

/** One participant's page; Playwright's unless said otherwise. */
export interface CallPage<P extends TestPage = Page> {
  readonly page: P;
  readonly name: string;
}

/** An empty page with the SDK of this platform and the measuring script. Playwright gives each page a context of its own. */
export async function openCallPage<P extends TestPage>(
  browser: { newPage(): Promise<P> },
  platform: Platform,
  name: string,
  firstScript?: string,
): Promise<CallPage<P>> {
  const page = await browser.newPage();
  await loadCallPage({ page, name }, platform, firstScript);
  return { page, name };
}

/** Loads everything anew, as a reload does: what the page did before is gone. */
export async function loadCallPage(
  { page, name }: CallPage<TestPage>,
  platform: Platform,
  firstScript?: string,
): Promise<void> {
  await page.goto(`${platform.url}/api/client/v2/status`);
  await page.setContent(`<!doctype html><title>${name}</title><body></body>`);
  if (firstScript !== undefined) await page.addScriptTag({ content: firstScript });
  await page.addScriptTag({ url: `${platform.url}/sdk/godwit.js` });
  await page.addScriptTag({ content: SCRIPT });
}

export interface Joined {
  readonly connectionId: string;
  readonly streamId: string;
}

export function join(
  { page }: CallPage<TestPage>,
  platform: Platform,
  options: {
    sessionId: string;
    token: string;
    sessionMigration: boolean;
    publish: Record<string, unknown> | false;
    /** Looks at all received streams every second, as `video.periodicKeyFrames` needs; true by default. */
    countsKeyFrames?: boolean;
  },
): Promise<Joined> {
  const request = {
    apiUrl: platform.url,
    apiKey: platform.apiKey,
    sessionId: options.sessionId,
    token: options.token,
    options: { sessionMigration: options.sessionMigration },
    publish: options.publish,
    countsKeyFrames: options.countsKeyFrames ?? true,
  };
  return page.evaluate<Joined, typeof request>((value) => window.call.join(value), request);
}

declare global {
  interface Window {
    /** Defined by call-page.js. */
    call: {
      join(request: unknown): Promise<Joined>;
      leave(): Promise<void>;
      publish(properties: Record<string, unknown>): Promise<string>;
      unpublish(): void;
      /** Unsubscribes from everything. */
      hideAll(): void;
      /** Subscribes to what `hideAll` hid. */
      showAgain(): void;
      /** Forgets frames and reports. */
      forget(): void;
      lostOf(streamId: string): Promise<number>;
      counters(): Promise<Record<string, number | string>>;
      frameGaps(fromMs: number, toMs: number): Record<string, number>;
      iceFragment(): Promise<unknown>;
      receivedCodecs(): Promise<string[]>;
      mute(muted: boolean): void;
      /** Switches the tone of `audioTrack: 'tone'`. */
      sound(isOn: boolean): void;
      sent(): Promise<Partial<Record<'audio' | 'video', { mimeType: string; contentType?: string }>>>;
      videoTypes(): (string | undefined)[];
      events: { atMs: number; name: string; detail: Record<string, unknown> }[];
      reports: unknown[];
      losses: { silentMs: number; attempts: number }[];
    };
  }
}

/** The platform's API from inside the page: in a network namespace only the browser reaches the platform. */
export function apiThrough({ page }: CallPage<TestPage>, platform: Platform): PlatformApi {
  return new PlatformApi(platform, async (url, request) => {
    const { status, text } = await page.evaluate(
      async ([target, options]) => {
        const response = await fetch(target, options);
        return { status: response.status, text: await response.text() };
      },
      [url, request] as const,
    );
    return { status, text: () => Promise.resolve(text) };
  });
}
