import type { NewSignal, SignalRecord } from '@godwit/storage';
import { SIGNALS_KEPT_MAX, SIGNALS_PER_WRITE_MAX } from '../limits.js';

/** Tells the receivers. Without a number they can never be told again. */
export type TellSignal = (number: number | undefined) => void;

interface Waiting {
  readonly signal: NewSignal;
  readonly tell: TellSignal;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Where signals are kept for those who miss them. */
export interface SignalRows {
  /** Writes them; the number of each, null for one that was written before. */
  readonly append: (signals: readonly NewSignal[]) => Promise<(number | null)[]>;
  /** Whether it failed because the database is away: then they are told without being written. */
  readonly isAway: (error: unknown) => boolean;
}

/**
 * The signals of one session. Each is written before anybody is told of it: whoever has missed it, because the control that
 * told it went away, gets it from the next one, by its number. Those that come while others are being written are written
 * together.
 */
export class SessionSignals {
  #last: number;
  /** The newest, in order of their numbers. */
  #recent: SignalRecord[] = [];
  #waiting: Waiting[] = [];
  #isWriting = false;

  constructor(last: number) {
    this.#last = last;
  }

  /** Number of the last one that was told. */
  get last(): number {
    return this.#last;
  }
  get kept(): number {
    return this.#recent.length;
  }

  /** What an earlier control has written, oldest first. */
  restore(records: readonly SignalRecord[]): void {
    this.#recent = records.slice(-SIGNALS_KEPT_MAX);
  }

  /** Those that this client has missed. */
  missedBy(connectionId: string, lastSignal: number): SignalRecord[] {
    return this.#recent.filter(
      ({ number, toConnectionId }) =>
        number > lastSignal && (toConnectionId === null || toConnectionId === connectionId),
    );
  }

  /** Resolves once its receivers have been told. Rejects when it could not be written for another reason than an outage. */
  send(signal: NewSignal, tell: TellSignal, rows: SignalRows): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ signal, tell, resolve, reject });
      if (!this.#isWriting) void this.#writeAll(rows);
    });
  }

  /** Forgets those that were told before that time. */
  forget(beforeMs: number): void {
    if ((this.#recent[0]?.createdAtMs ?? beforeMs) >= beforeMs) return;
    this.#recent = this.#recent.filter(({ createdAtMs }) => createdAtMs >= beforeMs);
  }

  async #writeAll(rows: SignalRows): Promise<void> {
    this.#isWriting = true;
    while (this.#waiting.length > 0) await this.#write(this.#waiting.splice(0, SIGNALS_PER_WRITE_MAX), rows);
    this.#isWriting = false;
  }

  async #write(batch: readonly Waiting[], rows: SignalRows): Promise<void> {
    let numbers: readonly (number | null)[];
    try {
      numbers = await rows.append(batch.map(({ signal }) => signal));
    } catch (error) {
      for (const { tell, resolve, reject } of batch) {
        if (!rows.isAway(error)) reject(error);
        else {
          tell(undefined);
          resolve();
        }
      }
      return;
    }
    for (const [index, { signal, tell, resolve }] of batch.entries()) {
      const number = numbers[index] ?? null;
      if (number !== null) {
        this.#remember(signal, number);
        tell(number);
      }
      resolve();
    }
  }

  #remember({ toConnectionId, event, createdAtMs }: NewSignal, number: number): void {
    this.#last = number;
    this.#recent.push({ number, toConnectionId, event, createdAtMs });
    if (this.#recent.length > SIGNALS_KEPT_MAX) this.#recent.shift();
  }
}
