import { DTLS_MESSAGES_AHEAD_MAX, DTLS_MESSAGE_BYTES_MAX } from '../limits.js';
import type { HandshakeFragment, HandshakeMessage } from './handshake-message.js';

interface Partial {
  readonly type: number;
  readonly body: Buffer;
  /** One byte per byte of the body: 1 when it has come. */
  readonly present: Uint8Array;
  missing: number;
}

/**
 * Puts fragments together and hands the messages out in their order, whatever the network did (RFC 6347 4.2.2, 4.2.3).
 * Holds at most DTLS_MESSAGES_AHEAD_MAX messages of DTLS_MESSAGE_BYTES_MAX.
 */
export class HandshakeReassembler {
  #nextSeq = 0;
  readonly #partials = new Map<number, Partial>();

  /** True when the fragment belongs to a message handed out before: the peer repeats its flight. */
  isRepeated(fragment: HandshakeFragment): boolean {
    return fragment.messageSeq < this.#nextSeq;
  }

  /** Fragments beyond the bounds, or that contradict earlier ones, are dropped. */
  add(fragment: HandshakeFragment): void {
    const ahead = fragment.messageSeq - this.#nextSeq;
    if (ahead < 0 || ahead >= DTLS_MESSAGES_AHEAD_MAX || fragment.length > DTLS_MESSAGE_BYTES_MAX) return;
    const partial = this.#partials.get(fragment.messageSeq) ?? this.#start(fragment);
    if (partial.type !== fragment.type || partial.body.length !== fragment.length) return;
    fragment.bytes.forEach((byte, index) => {
      const at = fragment.offset + index;
      if (partial.present[at] === 1) return;
      partial.present[at] = 1;
      partial.body[at] = byte;
      partial.missing -= 1;
    });
  }

  /** The next message in order, once it is whole. */
  take(): HandshakeMessage | null {
    const partial = this.#partials.get(this.#nextSeq);
    if (partial === undefined || partial.missing > 0) return null;
    this.#partials.delete(this.#nextSeq);
    const message = { type: partial.type, messageSeq: this.#nextSeq, body: partial.body };
    this.#nextSeq += 1;
    return message;
  }

  #start(fragment: HandshakeFragment): Partial {
    const partial = {
      type: fragment.type,
      body: Buffer.alloc(fragment.length),
      present: new Uint8Array(fragment.length),
      missing: fragment.length,
    };
    this.#partials.set(fragment.messageSeq, partial);
    return partial;
  }
}
