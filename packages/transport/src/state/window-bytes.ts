/**
 * A replay window is mostly one run: all seen in an old stream, nothing seen in a young one. It is written as the
 * bytes before the last run of equal 0x00 or 0xff, and the value of that run.
 */
export interface TrimmedWindow {
  readonly prefix: Buffer;
  readonly isRestSeen: boolean;
}

export function trimWindow(window: Buffer): TrimmedWindow {
  const fill = window.at(-1) === 0xff ? 0xff : 0x00;
  let length = window.length;
  while (length > 0 && window[length - 1] === fill) length -= 1;
  return { prefix: window.subarray(0, length), isRestSeen: fill === 0xff };
}

export function expandWindow({ prefix, isRestSeen }: TrimmedWindow, bytes: number): Buffer {
  const window = Buffer.alloc(bytes, isRestSeen ? 0xff : 0x00);
  prefix.copy(window);
  return window;
}
