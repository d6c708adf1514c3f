import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';

/** Writes bytes to a listener as they are and answers all that comes back until the connection ends, or for `waitMs`. */
export async function sendRaw(url: string, bytes: string | Buffer, waitMs = 2_000): Promise<Buffer> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const chunks: Buffer[] = [];
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'connect');
  socket.write(bytes);
  const ended = once(socket, 'close');
  await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, waitMs))]);
  socket.destroy();
  return Buffer.concat(chunks);
}

/** The bytes of a WebSocket's opening, for {@link sendRaw}. */
export function upgradeRequest(path: string, changes: Readonly<Record<string, string | null>> = {}): string {
  const headers: Record<string, string | null> = {
    host: 'localhost',
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': randomBytes(16).toString('base64'),
    ...changes,
  };
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === null ? [] : [`${name}: ${value}`],
  );
  return `GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
}

/** A frame of RFC 6455 5.2, whether it is legal or not. Masked unless said otherwise. */
export function frame(
  opcode: number,
  payload: Buffer,
  {
    isMasked = true,
    isFinal = true,
    reserved = 0,
  }: { isMasked?: boolean; isFinal?: boolean; reserved?: number } = {},
): Buffer {
  if (payload.length > 125) throw new RangeError('a short frame, please');
  const first = (isFinal ? 0x80 : 0) | (reserved << 4) | opcode;
  if (!isMasked) return Buffer.concat([Buffer.from([first, payload.length]), payload]);
  // A mask of zeros changes nothing.
  return Buffer.concat([Buffer.from([first, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

/** Status of an HTTP answer; null when there is none. */
export function statusOf(answer: Buffer): number | null {
  const status = /^HTTP\/1\.1 (\d{3})/.exec(answer.toString('latin1'))?.[1];
  return status === undefined ? null : Number(status);
}

/** Code of the close frame behind a WebSocket's opening; null when there is none. */
export function closeCodeOf(answer: Buffer): number | null {
  const at = answer.indexOf('\r\n\r\n');
  let frames = at < 0 ? Buffer.alloc(0) : answer.subarray(at + 4);
  while (frames.length >= 2) {
    const opcode = (frames[0] ?? 0) & 0x0f;
    const short = (frames[1] ?? 0) & 0x7f;
    const header = short === 126 ? 4 : 2;
    const length = short === 126 ? frames.readUInt16BE(2) : short;
    if (opcode === 8) return length >= 2 ? frames.readUInt16BE(header) : 1005;
    frames = frames.subarray(header + length);
  }
  return null;
}
