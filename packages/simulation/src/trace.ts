/** Lines kept for the report of a failure. */
const LAST_LINES = 80;
const FNV_PRIME = 0x01000193;
const FNV_BASIS = 0x811c9dc5;

/** What happened, as a hash of all of it and as text of the last of it. */
export class Trace {
  readonly #clockMs: () => number;
  readonly #print: ((line: string) => void) | null;
  readonly #last: string[] = [];
  /** Random ids of the code under test, by the names that the trace gives them. */
  readonly #names = new Map<string, string>();
  #low = FNV_BASIS;
  #high = 0x9e3779b9;

  /** @param print gets every line as it happens; null keeps only the last ones */
  constructor(clockMs: () => number, print: ((line: string) => void) | null) {
    this.#clockMs = clockMs;
    this.#print = print;
  }

  get lastLines(): readonly string[] {
    return this.#last;
  }

  /** 16 hex digits over everything that was noted. */
  get hash(): string {
    const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');
    return hex(this.#high) + hex(this.#low);
  }

  line(who: string, what: string): void {
    this.mix(Math.round(this.#clockMs() * 1_000));
    for (let at = 0; at < what.length; at += 1) this.#mixWord(what.charCodeAt(at));
    const line = `${this.#clockMs().toFixed(3).padStart(12)} ${who.padEnd(9)} ${what}`;
    this.#last.push(line);
    if (this.#last.length > LAST_LINES) this.#last.shift();
    this.#print?.(line);
  }

  /** A number that is part of what happened and not worth a line: packets are many. */
  mix(value: number): void {
    this.#mixWord(value | 0);
    this.#mixWord(Math.floor(value / 2 ** 32));
  }

  /** A stable name for an id that chance made. */
  nameOf(kind: string, id: string): string {
    let name = this.#names.get(id);
    if (name === undefined) {
      name = `${kind}${this.#names.size + 1}`;
      this.#names.set(id, name);
    }
    return name;
  }

  #mixWord(word: number): void {
    this.#low = Math.imul(this.#low ^ word, FNV_PRIME);
    this.#high = Math.imul(this.#high ^ (this.#low >>> 13), 0x5bd1e995) + word;
  }
}
