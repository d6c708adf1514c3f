import type { CallbackEvent } from '@godwit/storage';

/** Events of a change, and whether anybody wants to hear of them. */
export interface AskedEvents<Facts extends readonly unknown[]> {
  /** For the storage. It asks within the change's transaction, and only where somebody wants to hear. */
  readonly eventsOf: (...facts: Facts) => readonly CallbackEvent[];
  /** Once the change is written: true when there is something to deliver. */
  readonly wereAsked: () => boolean;
}

/**
 * Notes whether the storage asked. Where nobody wants to hear, nothing is due: to look for deliveries all the same would
 * cost three statements for each join, each stream and each leave.
 */
export function askedEvents<Facts extends readonly unknown[]>(
  eventsOf: (...facts: Facts) => readonly CallbackEvent[],
): AskedEvents<Facts> {
  let wereAsked = false;
  return {
    eventsOf: (...facts) => {
      wereAsked = true;
      return eventsOf(...facts);
    },
    wereAsked: () => wereAsked,
  };
}
