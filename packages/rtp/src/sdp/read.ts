/**
 * Readers for what sdp-transform returns. It turns any text that looks like a number into one, whatever its types say,
 * and leaves out what is absent, so every value is looked at before it is believed.
 */

/** The text of a value within its limit; undefined when absent, empty or too long. */
export function readText(value: unknown, charsMax: number): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const text = String(value);
  return text.length > 0 && text.length <= charsMax ? text : undefined;
}

/** Like readText, for values that are written into other descriptions: visible ASCII without spaces. */
export function readToken(value: unknown, charsMax: number): string | undefined {
  const text = readText(value, charsMax);
  return text !== undefined && isToken(text) ? text : undefined;
}

export function isToken(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

/** An integer from 0 to `max`; undefined otherwise. */
export function readUInt(value: unknown, max: number): number | undefined {
  const number = typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number)) return undefined;
  return number >= 0 && number <= max ? number : undefined;
}
