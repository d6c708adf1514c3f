import { expect, it } from 'vitest';
import { detectPathMethod } from './pathMethod.js';

it.each([
  ['Chromium by brands', { userAgentData: { brands: [{ brand: 'Chromium' }] } }, 'candidate'],
  [
    'Chromium by user agent',
    { userAgent: 'Mozilla/5.0 (X11) AppleWebKit/537.36 Chrome/140.0 Safari/537.36' },
    'candidate',
  ],
  ['Firefox', { userAgent: 'Mozilla/5.0 (X11; rv:140.0) Gecko/20100101 Firefox/140.0' }, 'restart'],
  [
    'Safari',
    { userAgent: 'Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15' },
    'restart',
  ],
  ['something unknown', {}, 'restart'],
] as const)('%s', (_name, navigator, method) => {
  expect(detectPathMethod(navigator)).toBe(method);
});
