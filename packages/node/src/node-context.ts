import type { Datapath } from '@godwit/datapath';
import type { NodeEvent } from '@godwit/protocol';
import type { Router } from '@godwit/sfu';
import type { Logger } from 'pino';
import type { Links } from './link/links.js';
import type { StreamTable } from './stream/stream-table.js';
import type { AddressPool } from './transport/address-pool.js';
import type { TransportTable } from './transport/transport-table.js';

/** What the parts of one node share. Each part decides its own things; none holds another's state. */
export interface NodeContext {
  readonly datapath: Datapath;
  readonly router: Router;
  readonly transports: TransportTable;
  readonly streams: StreamTable;
  readonly links: Links;
  readonly pool: AddressPool;
  readonly log: Logger;
  /** Monotonic, the datapath's clock. */
  readonly clockMs: () => number;
  /** Given by control at registration. */
  readonly nodeId: () => string;
  readonly report: (event: NodeEvent) => void;
}
