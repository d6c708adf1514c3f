/** What is wanted of a stream. */
export interface Wanted {
  readonly audio: boolean;
  readonly video: boolean;
}

const ALL: Wanted = { audio: true, video: true };

/**
 * What the server was told of each stream. It keeps one wish per stream of a connection, so that of several
 * subscribers of one stream the union counts; without a word it sends everything.
 */
export class Wishes {
  readonly #told = new Map<string, Wanted>();

  /** What to tell the server now that these subscribers of the stream are there; undefined when it knows. */
  change(streamId: string, subscribers: readonly Wanted[]): Wanted | undefined {
    const next =
      subscribers.length === 0
        ? ALL
        : {
            audio: subscribers.some(({ audio }) => audio),
            video: subscribers.some(({ video }) => video),
          };
    const told = this.#told.get(streamId) ?? ALL;
    if (next.audio === told.audio && next.video === told.video) return undefined;
    if (next.audio && next.video) this.#told.delete(streamId);
    else this.#told.set(streamId, next);
    return next;
  }
}
