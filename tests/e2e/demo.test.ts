import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium, startPlatform, type Platform } from '@godwit/testing';
import { openTestNetwork, type TestNetwork } from './support/environment.js';

/** Where to put pictures of the page for a person to look at; none are taken without it. */
const SCREENSHOTS = process.env['GODWIT_E2E_SCREENSHOTS'];

describe('the demo page in a stock Chromium, without a camera', () => {
  let network: TestNetwork;
  let platform: Platform;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    network = openTestNetwork();
    // All settings as a new user has them, the minimum age of a migration too.
    platform = await startPlatform({ prefix: network.prefix });
    browser = await launchChromium({ prefix: network.prefix });
    page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    await page.goto(`${platform.url}/demo/`);
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await platform?.stop();
    network?.remove();
  });

  const picture = async (name: string): Promise<void> => {
    if (SCREENSHOTS !== undefined) await page.screenshot({ path: `${SCREENSHOTS}/${name}.png` });
  };

  /** Videos on the page that play. */
  const playing = (): Promise<number> =>
    page.evaluate(
      () =>
        [...document.querySelectorAll('video')].filter(
          (video) => video.videoWidth > 0 && video.currentTime > 0,
        ).length,
    );

  it('shows two people in one window', { timeout: 60_000 }, async () => {
    await page.getByRole('button', { name: 'Add a second person' }).click();
    await expect.poll(playing, { timeout: 30_000 }).toBeGreaterThanOrEqual(2);
    await page.waitForTimeout(6_000);
    await picture('demo-call');
  });

  it('moves them to the other node and says in words that nobody noticed', { timeout: 60_000 }, async () => {
    await page.getByRole('button', { name: /^Move this session/ }).click();
    await expect
      .poll(() => page.locator('[aria-live]').allInnerTexts(), { timeout: 30_000 })
      .toEqual(expect.arrayContaining([expect.stringMatching(/Moved 2 people/)]) as unknown);
    const words = (await page.locator('[aria-live]').allInnerTexts()).join(' ');
    process.stdout.write(`verdict: ${words.replaceAll('\n', ' ')}\n`);
    expect(words).toMatch(/no packet/i);
    expect(words).toMatch(/no freeze/i);
    await picture('demo-moved');
  });

  it('fits a phone, in dark and in light', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme });
      await picture(`demo-phone-${colorScheme}`);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(overflow).toBeLessThanOrEqual(0);
    }
  });
});
