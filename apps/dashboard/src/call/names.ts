import { NAME_CHARS_MAX, SESSION_NAME_CHARS_MAX } from '../limits.js';

/** Waders, as the godwit is one. */
const BIRDS = [
  'Avocet',
  'Curlew',
  'Dunlin',
  'Knot',
  'Lapwing',
  'Plover',
  'Ruff',
  'Sanderling',
  'Turnstone',
  'Whimbrel',
];

/** A name for somebody who gave none; never `taken`. `random` is in [0, 1). */
export function birdName(random: number, taken: string | null): string {
  const free = BIRDS.filter((bird) => bird !== taken);
  return free[Math.floor(random * free.length)] ?? 'Godwit';
}

/** What the page's address asks for. */
export interface PageOptions {
  /** The session's name; null for the server's default one. */
  readonly session: string | null;
  readonly name: string | null;
  /** Send the test picture without asking for a camera. */
  readonly testPicture: boolean;
}

/** Reads `?session=&name=&source=test`. Too long values are cut. */
export function parsePageOptions(search: string): PageOptions {
  const query = new URLSearchParams(search);
  const text = (key: string, max: number): string | null => query.get(key)?.trim().slice(0, max) || null;
  return {
    session: text('session', SESSION_NAME_CHARS_MAX),
    name: text('name', NAME_CHARS_MAX),
    testPicture: query.get('source') === 'test',
  };
}

/** The address that brings another device into the same call. */
export function inviteUrl(pageUrl: string, session: string | null): string {
  const url = new URL(pageUrl);
  url.search = '';
  url.hash = '';
  if (session !== null) url.searchParams.set('session', session);
  return url.href;
}

/** Whether only this computer can open an address with that host name. */
export function isLoopbackHost(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127\./.test(hostname)
  );
}
