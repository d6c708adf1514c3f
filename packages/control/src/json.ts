/** The value that the text holds, or undefined when it is not JSON. Never throws. */
export function parseJson(data: Buffer | string): unknown {
  try {
    return JSON.parse(data.toString());
  } catch {
    return undefined;
  }
}
