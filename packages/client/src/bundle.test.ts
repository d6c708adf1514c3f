import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import * as protocol from '@godwit/protocol';
import { build } from 'vite';
import { beforeAll, describe, expect, it } from 'vitest';
import * as limits from './limits.js';
import { SDK_VERSION } from './version.js';

/** A page pays for every byte. Room for what a browser can do alone of the documented API; services are not in it. */
const BUNDLE_BYTES_MAX = 76_000;
const BUNDLE_GZIP_BYTES_MAX = 24_000;

const ROOT = fileURLToPath(new URL('..', import.meta.url));

describe('the bundle', () => {
  let code = '';
  beforeAll(async () => {
    const built = await build({
      root: ROOT,
      configFile: `${ROOT}vite.config.ts`,
      logLevel: 'error',
      build: { write: false },
    });
    const outputs = (Array.isArray(built) ? built : [built]).flatMap((each) =>
      'output' in each ? each.output : [],
    );
    const chunks = outputs.filter((output) => output.type === 'chunk');
    expect(chunks).toHaveLength(1);
    code = chunks[0]?.code ?? '';
  });

  it('stays within its budget', () => {
    expect(code.length).toBeGreaterThan(10_000);
    expect(Buffer.byteLength(code)).toBeLessThanOrEqual(BUNDLE_BYTES_MAX);
    expect(gzipSync(code, { level: 9 }).length).toBeLessThanOrEqual(BUNDLE_GZIP_BYTES_MAX);
  });

  it('is a classic script that defines OT and holds no schema library', () => {
    expect(code).toMatch(/^(var|const) OT=/);
    expect(code).not.toMatch(/ZodError|invalid_type/);
    const load = new Function(`${code}\nreturn OT;`) as () => Record<string, unknown>;
    expect(load()).toMatchObject({ VERSION: SDK_VERSION, initSession: expect.any(Function) as unknown });
  });
});

describe('constants that are kept twice', () => {
  it('are those of the protocol and of package.json', () => {
    const { version } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { version: string };
    expect(SDK_VERSION).toBe(version);
    expect(limits.MESSAGE_BYTES_MAX).toBe(protocol.SIGNALLING_MESSAGE_BYTES_MAX);
    expect(limits.SIGNAL_DATA_BYTES_MAX).toBe(protocol.SIGNAL_DATA_BYTES_MAX);
    expect(limits.SIGNAL_TYPE_CHARS_MAX).toBe(protocol.SIGNAL_TYPE_CHARS_MAX);
    expect(limits.MEDIA_SECTIONS_MAX).toBe(protocol.MEDIA_SECTIONS_MAX);
    expect(limits.PING_INTERVAL_MS).toBe(protocol.SIGNALLING_PING_INTERVAL_MS);
    expect(limits.RESUME_GRACE_MS).toBe(protocol.SIGNALLING_RESUME_GRACE_MS);
  });
});
