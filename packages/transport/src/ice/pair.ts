import type { RemoteAddress, SocketHandle } from '@godwit/datapath';

/** A candidate pair as a server sees it: its own socket and the client's address. */
export interface IcePair {
  readonly socket: SocketHandle;
  readonly remote: RemoteAddress;
}

export function isSamePair(a: IcePair, b: IcePair): boolean {
  return a.socket === b.socket && a.remote.port === b.remote.port && a.remote.address === b.remote.address;
}
