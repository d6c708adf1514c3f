/** Parameters of an a=fmtp line ("minptime=10;useinbandfec=1") by lower-case name. A bare value has an empty text. */
export function parseFormatParameters(text: string | undefined): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const part of (text ?? '').split(';')) {
    const separator = part.indexOf('=');
    const name = (separator === -1 ? part : part.slice(0, separator)).trim().toLowerCase();
    const value = separator === -1 ? '' : part.slice(separator + 1).trim();
    if (name !== '' && !parameters.has(name)) parameters.set(name, value);
  }
  return parameters;
}
