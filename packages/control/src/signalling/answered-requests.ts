import type { ClientRequestType, SignallingReply } from '@godwit/protocol';
import { SIGNALLING_REPLIES_KEPT_CHARS_MAX, SIGNALLING_REPLIES_KEPT_MAX } from '../limits.js';

interface Entry {
  readonly type: ClientRequestType;
  readonly reply: Promise<SignallingReply>;
  /** Size of the reply's text; null while the request is in work. */
  chars: number | null;
}

/**
 * The requests of one connection and their replies, kept for a while: a client whose socket broke repeats, under the
 * same ids, what it has no answer to. A repeat is answered and not done again. Lives as long as the connection; a
 * control that starts anew remembers none.
 */
export class AnsweredRequests {
  readonly #entries = new Map<number, Entry>();
  #chars = 0;

  /**
   * The reply to the request of that id: `work`'s, which runs only the first time. Null when the id was that of a
   * request of another type. `work` must not reject.
   */
  once(
    id: number,
    type: ClientRequestType,
    work: () => Promise<SignallingReply>,
  ): Promise<SignallingReply> | null {
    const known = this.#entries.get(id);
    if (known !== undefined) return known.type === type ? known.reply : null;
    const entry: Entry = { type, reply: work(), chars: null };
    this.#entries.set(id, entry);
    void entry.reply.then((reply) => {
      entry.chars = JSON.stringify(reply).length;
      this.#chars += entry.chars;
      this.#forget();
    });
    return entry.reply;
  }

  /** Oldest first; never one in work. */
  #forget(): void {
    for (const [id, { chars }] of this.#entries) {
      const { size } = this.#entries;
      if (size <= SIGNALLING_REPLIES_KEPT_MAX && this.#chars <= SIGNALLING_REPLIES_KEPT_CHARS_MAX) return;
      if (chars === null) continue;
      this.#entries.delete(id);
      this.#chars -= chars;
    }
  }
}
