/** What a child tells the process that started it (IPC channel). */
export interface ReadyMessage {
  readonly type: 'ready';
  /** Where it listens. */
  readonly url: string;
}
/** What the starting process tells a child: end now, nothing will be left to move calls to. */
export interface StopMessage {
  readonly type: 'stop';
}

export function isReadyMessage(message: unknown): message is ReadyMessage {
  return isTyped(message, 'ready') && typeof (message as { url?: unknown }).url === 'string';
}
export function isStopMessage(message: unknown): message is StopMessage {
  return isTyped(message, 'stop');
}
function isTyped(message: unknown, type: string): boolean {
  return typeof message === 'object' && message !== null && (message as { type?: unknown }).type === type;
}
