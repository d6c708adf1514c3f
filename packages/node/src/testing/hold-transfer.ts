import type { Datapath } from '@godwit/datapath';

/** Class and kind of a TRANSFER on the link (handover/messages.ts). */
const TRANSFER_PREFIX = [1, 2] as const;

/** The source's TRANSFERs are lost until it is let go; it repeats them. */
export function holdTransfer(datapath: Datapath): { held: () => number; release: () => void } {
  const send = datapath.sendLinkMessage.bind(datapath);
  let held = 0;
  datapath.sendLinkMessage = (linkId, bytes) => {
    const isTransfer = bytes[0] === TRANSFER_PREFIX[0] && bytes[1] === TRANSFER_PREFIX[1];
    if (!isTransfer) return send(linkId, bytes);
    held += 1;
    return true;
  };
  return { held: () => held, release: () => (datapath.sendLinkMessage = send) };
}
