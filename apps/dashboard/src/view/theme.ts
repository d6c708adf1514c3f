import { signal } from '@preact/signals';

export type Theme = 'auto' | 'light' | 'dark';

const STORAGE_KEY = 'godwit-theme';
const ORDER: readonly Theme[] = ['auto', 'light', 'dark'];

/** The chosen theme; `auto` follows the system. */
export const theme = signal<Theme>(readStored());

/** Takes the next theme and remembers it. */
export function nextTheme(): void {
  theme.value = ORDER[(ORDER.indexOf(theme.value) + 1) % ORDER.length] ?? 'auto';
  applyTheme();
  try {
    window.localStorage.setItem(STORAGE_KEY, theme.value);
  } catch {
    // Storage may be forbidden; the choice then lasts as long as the page.
  }
}

/** Puts the theme on the document, where the style sheets look for it. */
export function applyTheme(): void {
  if (theme.value === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
}

function readStored(): Theme {
  try {
    const stored = window.localStorage.getItem(STORAGE_KEY);
    return ORDER.find((one) => one === stored) ?? 'auto';
  } catch {
    return 'auto';
  }
}
