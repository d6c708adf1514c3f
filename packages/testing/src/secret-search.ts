import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Shorter than this and a secret is found by chance. */
const SECRET_CHARS_MIN = 12;

export interface Finding {
  /** What was found; not the secret itself, which would then stand in the test's output. */
  readonly secret: string;
  readonly spelling: string;
  readonly where: string;
}

interface Known {
  readonly name: string;
  readonly spellings: readonly { readonly spelling: string; readonly bytes: Buffer }[];
}

/** Looks for secrets in what must not hold them, in every form in which text could carry them. */
export class SecretSearch {
  readonly #known = new Map<string, Known>();

  /** Something that must be found nowhere; text, or the bytes of a key. */
  add(name: string, secret: string | Buffer): void {
    const bytes = Buffer.from(secret);
    if (bytes.length < SECRET_CHARS_MIN) throw new RangeError(`${name} is too short to be looked for`);
    const key = bytes.toString('hex');
    if (!this.#known.has(key)) this.#known.set(key, { name, spellings: spellingsOf(bytes) });
  }

  /** How many are known, by name. */
  get names(): readonly string[] {
    return [...this.#known.values()].map(({ name }) => name);
  }

  /** What a text, or the bytes of a file, hold of them. */
  find(where: string, content: string | Buffer): Finding[] {
    const bytes = Buffer.from(content);
    return [...this.#known.values()].flatMap(({ name, spellings }) =>
      spellings
        .filter((each) => bytes.includes(each.bytes))
        .map(({ spelling }) => ({ secret: name, spelling, where })),
    );
  }

  /** The same for every file of a folder; `isExempt` names those that may hold secrets, by their path in it. */
  findInFolder(folder: string, isExempt: (path: string) => boolean = () => false): Finding[] {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => !isExempt(file.slice(folder.length + 1)))
      .flatMap((file) => this.find(file.slice(folder.length + 1), readIfThere(file)));
  }
}

/** A database removes files while it runs. */
function readIfThere(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

function spellingsOf(secret: Buffer): Known['spellings'] {
  const text = secret.toString();
  const all: Record<string, string | Buffer> = {
    'as it is': secret,
    'in hex': secret.toString('hex'),
    'in capital hex': secret.toString('hex').toUpperCase(),
    'as a list of numbers': [...secret].join(','),
    'percent-encoded': encodeURIComponent(text),
    'in JSON': JSON.stringify(text).slice(1, -1),
    // Within something longer that was encoded as a whole, it may begin at any byte of three.
    ...Object.fromEntries(
      [0, 1, 2].flatMap((shift) => [
        [`in base64, ${shift} bytes in`, inner(secret, shift, 'base64')],
        [`in base64url, ${shift} bytes in`, inner(secret, shift, 'base64url')],
      ]),
    ),
  };
  const seen = new Set<string>();
  return Object.entries(all)
    .map(([spelling, value]) => ({ spelling, bytes: Buffer.from(value) }))
    .filter(({ bytes }) => {
      const key = bytes.toString('hex');
      return !seen.has(key) && seen.add(key) !== undefined;
    });
}

/** The characters of an encoding that the secret alone decides, when it begins `shift` bytes after a group of three. */
function inner(secret: Buffer, shift: number, encoding: 'base64' | 'base64url'): string {
  const encoded = Buffer.concat([Buffer.alloc(shift), secret])
    .toString(encoding)
    .replace(/=+$/, '');
  const before = shift === 0 ? 0 : shift + 1;
  const after = (shift + secret.length) % 3 === 0 ? 0 : 1;
  return encoded.slice(before, encoded.length - after);
}
