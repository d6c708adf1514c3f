import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SrtpKeys } from '@godwit/datapath';
import { SecretSearch } from '@godwit/testing';
import { Call, PUBLISHER, SUBSCRIBER } from './testing/call.js';

// Two nodes on real sockets, logging at the finest level. What must stay secret is looked for byte for byte.

let call: Call;
beforeEach(async () => (call = await Call.open(2)));
afterEach(() => call.close());

describe('the logs of a whole move, and of one that fails', { retry: 1 }, () => {
  it('hold no key, no password and no sealed state', async () => {
    const search = new SecretSearch();
    const [source, target] = [call.node(0), call.node(1)];
    for (const { datapath } of call.nodes) {
      const { freeze, thaw } = datapath;
      const note = ({ localKey, localSalt, remoteKey, remoteSalt }: SrtpKeys): void => {
        for (const key of [localKey, localSalt, remoteKey, remoteSalt]) search.add('an SRTP key', key);
      };
      datapath.freeze = (id) => {
        const state = freeze.call(datapath, id);
        note(state.keys);
        return state;
      };
      datapath.thaw = (id, state, grant) => {
        note(state.keys);
        thaw.call(datapath, id, state, grant);
      };
    }
    for (const id of [PUBLISHER, SUBSCRIBER]) {
      const { ice } = source.core.context.transports.get(id) ?? {};
      for (const end of [ice?.local, ice?.remote]) search.add('an ICE password', end?.pwd ?? '');
    }
    expect(await call.follow(SUBSCRIBER, 0, await call.prepare(SUBSCRIBER, [0, 1], 2))).toBe('completed');
    const refuse = target.datapath.thaw;
    target.datapath.thaw = (_id, state) => {
      throw new Error(`impossible: ${Object.keys(state).length}`);
    };
    expect(await call.follow(PUBLISHER, 0, await call.prepare(PUBLISHER, [0, 1], 2))).toBe('failed');
    target.datapath.thaw = refuse;
    expect(search.names.length).toBeGreaterThanOrEqual(10);
    const text = [
      ...call.nodes.flatMap(({ log }) => log),
      ...call.nodes.map(({ events }) => JSON.stringify(events)),
    ].join('\n');
    expect(text).toContain('refused a state');
    expect(search.find('the logs and events', text)).toEqual([]);
    for (const { datapath } of call.nodes)
      expect(Object.values(datapath.counters()).every((value) => typeof value === 'number')).toBe(true);
  });
});
