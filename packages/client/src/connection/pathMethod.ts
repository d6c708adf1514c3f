import type { PathMethod } from '@godwit/protocol';

interface NavigatorLike {
  userAgent?: string;
  userAgentData?: { brands?: readonly { brand: string }[] };
}

/**
 * How this browser learns of a moved transport. Measured: Chromium takes a candidate of higher priority at once;
 * Firefox ignores one after ICE has completed, so it (and whatever was not measured) gets an ICE restart.
 */
export function detectPathMethod(navigator: NavigatorLike): PathMethod {
  const brands = navigator.userAgentData?.brands;
  const chromium =
    brands === undefined
      ? /\bChrom(e|ium)\//.test(navigator.userAgent ?? '')
      : brands.some(({ brand }) => brand === 'Chromium');
  return chromium ? 'candidate' : 'restart';
}
