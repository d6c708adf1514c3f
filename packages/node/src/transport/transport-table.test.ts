import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Datapath } from '@godwit/datapath';
import { createDatapath } from '@godwit/datapath-js';
import { IceLiteAgent } from '@godwit/transport';
import { NO_MEDIA } from './remove-transport.js';
import type { Role } from './role.js';
import { TransportHost } from './transport-host.js';
import { TransportTable } from './transport-table.js';

let datapath: Datapath;
beforeEach(() => {
  datapath = createDatapath({ onExceptions: () => undefined });
});
afterEach(() => datapath.close());

function host(transportId: string, role: Role): TransportHost {
  const ice = new IceLiteAgent(0, { local: { ufrag: transportId, pwd: 'p' }, remote: null });
  return new TransportHost(datapath, {
    transportId,
    sessionId: 's',
    localSsrc: 1,
    media: NO_MEDIA,
    role,
    ice,
    dtls: null,
  });
}

it('tells control of what it owns, and whose handshake is over, for the event of that may have been lost', () => {
  const table = new TransportTable();
  const carrying = host('1111111111111111', { name: 'owner', epoch: 3 });
  carrying.connected = true;
  table.set(carrying);
  table.set(host('2222222222222222', { name: 'owner', epoch: 1 }));
  table.set(host('3333333333333333', { name: 'target', epoch: 2, sourceNodeId: 'node-b' }));
  expect(table.owned()).toEqual([
    { transportId: '1111111111111111', sessionId: 's', epoch: 3, connected: true },
    { transportId: '2222222222222222', sessionId: 's', epoch: 1, connected: false },
  ]);
});
