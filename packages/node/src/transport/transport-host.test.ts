import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Datapath } from '@godwit/datapath';
import { createDatapath } from '@godwit/datapath-js';
import { IceLiteAgent, type IcePair } from '@godwit/transport';
import { NO_MEDIA } from './remove-transport.js';
import { TransportHost } from './transport-host.js';

const at = (port: number): IcePair => ({ socket: 1, remote: { address: '192.0.2.1', port, family: 'IPv4' } });
const HOME = at(1);
const ELSEWHERE = at(2);
const NEW = at(3);

let datapath: Datapath;
let host: TransportHost;
const paths = () =>
  host
    .ownPaths()
    .map((path) => (path.kind === 'socket' ? `${path.remote.port}${path.proven ? ' proven' : ''}` : 'link'));

beforeEach(() => {
  datapath = createDatapath({ onExceptions: () => undefined });
  host = new TransportHost(datapath, {
    transportId: '1111111111111111',
    sessionId: 's',
    localSsrc: 1,
    media: NO_MEDIA,
    role: { name: 'owner', epoch: 1 },
    ice: new IceLiteAgent(0, { local: { ufrag: 'u', pwd: 'p' }, remote: null }),
    dtls: null,
  });
});
afterEach(() => datapath.close());

describe('the addresses of a client', () => {
  it('change when media has come from the new one, and stay both until then', () => {
    host.usePair(HOME);
    expect(paths()).toEqual(['1']);
    host.prove(HOME);
    host.usePair(NEW);
    expect(paths()).toEqual(['3', '1 proven']);
    host.prove(HOME);
    expect(paths()).toEqual(['3', '1 proven']);
    host.prove(NEW);
    expect(paths()).toEqual(['3 proven']);
  });

  it('keep the proven one through any number of others that prove nothing, once', () => {
    host.usePair(HOME);
    host.prove(HOME);
    for (const pair of [ELSEWHERE, NEW, ELSEWHERE]) host.usePair(pair);
    expect(paths()).toEqual(['2', '1 proven']);
    host.usePair(HOME);
    expect(paths()).toEqual(['1 proven']);
  });

  it('include the one from which media came, when another was selected before anything was proven', () => {
    host.usePair(ELSEWHERE);
    host.prove(HOME);
    expect(paths()).toEqual(['2', '1 proven']);
    host.usePair(HOME);
    expect(paths()).toEqual(['1 proven']);
  });
});
