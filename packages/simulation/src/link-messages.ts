import { decodeHandoverMessage, HANDOVER_MESSAGE_CLASS } from '@godwit/node/core';

/** Id of the move that a link message is about; null for other messages. */
export function moveIdOf(bytes: Uint8Array): string | null {
  if (bytes[0] !== HANDOVER_MESSAGE_CLASS) return null;
  return decodeHandoverMessage(Buffer.from(bytes))?.moveId ?? null;
}

/** As a milestone: the fragments of a transfer count once. */
export function messageName(bytes: Uint8Array): string {
  const message = decodeHandoverMessage(Buffer.from(bytes));
  if (message === null) return 'unknown';
  return message.kind === 'transfer' && message.fragment > 0 ? 'transferRest' : message.kind;
}
