import { useSignal } from '@preact/signals';
import type { Call } from '../call/call.js';
import { inviteUrl, isLoopbackHost } from '../call/names.js';
import { Icon } from './icons.js';
import { nextTheme, theme } from './theme.js';

const THEME_LABELS = { auto: 'Theme: as the system', light: 'Theme: light', dark: 'Theme: dark' };
/** How long the button says that it has copied. */
const COPIED_MS = 2_000;

/** Brand, invitation, theme. */
export function Header({ call, session }: { call: Call; session: string | null }) {
  const copied = useSignal(false);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(inviteUrl(window.location.href, session));
      copied.value = true;
      if (isLoopbackHost(window.location.hostname)) call.notify('link-is-local');
      setTimeout(() => (copied.value = false), COPIED_MS);
    } catch {
      call.notify('copy-failed');
    }
  };
  return (
    <header class="header">
      <h1 class="brand">
        <Bird />
        Godwit
      </h1>
      <p class="tagline">Calls that move between servers</p>
      <button type="button" class="button quiet" onClick={() => void copy()}>
        <Icon name="link" />
        <span aria-live="polite">{copied.value ? 'Link copied' : 'Copy link'}</span>
      </button>
      <button
        type="button"
        class="button quiet square"
        aria-label={THEME_LABELS[theme.value]}
        title={THEME_LABELS[theme.value]}
        onClick={nextTheme}
      >
        <Icon name={theme.value} />
      </button>
    </header>
  );
}

/** The bird: a long bill, long legs, always on its way. */
function Bird() {
  return (
    <svg class="bird" viewBox="0 0 32 24" aria-hidden="true" focusable="false">
      <path d="M1 9.500 11 7.500C12 5 14.500 4 16.500 5c2 1 2.500 3 4.500 4.500C24 11.500 28 11.500 31 11c-3 4-7.500 6-12 6-4 0-6.500-2.500-7-7.200L1 9.500ZM17.500 17v6M20.500 16.700v6" />
    </svg>
  );
}
