import type { OpenTok } from './opentok.js';

const SDK_URL = '/sdk/godwit.js';

/** Loads the SDK of this server once; null when there is none. */
export async function loadSdk(): Promise<OpenTok | null> {
  if (window.OT !== undefined) return window.OT;
  await new Promise<void>((resolve) => {
    const script = document.createElement('script');
    script.src = SDK_URL;
    script.onload = () => resolve();
    script.onerror = () => {
      script.remove();
      resolve();
    };
    document.head.append(script);
  });
  return window.OT ?? null;
}
