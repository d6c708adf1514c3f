/** What of a session can be away while the session lasts. */
export type SessionPart = 'signalling' | 'media';

/** Signalling and media break and return apart; the page hears of one absence. */
export class Reconnection {
  readonly #away = new Set<SessionPart>();

  /** True when this begins an absence. */
  left(part: SessionPart): boolean {
    const begins = this.#away.size === 0;
    this.#away.add(part);
    return begins;
  }

  /** True when this ends one. */
  returned(part: SessionPart): boolean {
    return this.#away.delete(part) && this.#away.size === 0;
  }
}
