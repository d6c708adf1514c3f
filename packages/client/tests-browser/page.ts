import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';

const PACKAGE = new URL('..', import.meta.url);
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

/** A browser page that has loaded the bundle against the fake control. */
export interface SdkPage {
  page: Page;
  close(): Promise<void>;
}

async function serve(): Promise<Server> {
  const files: Record<string, { type: string; url: URL }> = {
    '/sdk/godwit.js': { type: 'text/javascript', url: new URL('dist/bundle/godwit.js', PACKAGE) },
    '/fakeControl.js': { type: 'text/javascript', url: new URL('tests-browser/fakeControl.js', PACKAGE) },
  };
  const page =
    '<!doctype html><body><script src="/fakeControl.js"></script><script src="/sdk/godwit.js"></script>';
  const server = createServer((request, response) => {
    const file = files[request.url ?? ''];
    if (file === undefined) return void response.setHeader('content-type', 'text/html').end(page);
    readFile(file.url).then(
      (bytes) => response.setHeader('content-type', file.type).end(bytes),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

async function launch(): Promise<Browser> {
  const system = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
    existsSync,
  );
  return chromium.launch({ headless: true, args: FLAGS, ...(system && { executablePath: system }) });
}

/** Builds the bundle and opens a page with it. */
export async function openSdkPage(): Promise<SdkPage> {
  await build({
    configFile: new URL('vite.config.ts', PACKAGE).pathname,
    root: PACKAGE.pathname,
    logLevel: 'error',
  });
  const server = await serve();
  const browser = await launch();
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  return {
    page,
    close: async () => {
      await browser.close();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
