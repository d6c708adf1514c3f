/** The cookie of a ClientHello body and the body without it; null when it is malformed (RFC 6347 4.2.1). */
export function splitCookie(
  body: Buffer,
): { readonly cookie: Buffer; readonly withoutCookie: Buffer } | null {
  const sessionIdAt = 2 + 32;
  if (body.length <= sessionIdAt) return null;
  const cookieAt = sessionIdAt + 1 + body.readUInt8(sessionIdAt);
  if (body.length <= cookieAt) return null;
  const end = cookieAt + 1 + body.readUInt8(cookieAt);
  if (body.length < end) return null;
  return {
    cookie: body.subarray(cookieAt + 1, end),
    withoutCookie: Buffer.concat([body.subarray(0, cookieAt), Buffer.from([0]), body.subarray(end)]),
  };
}
