import { describe, expect, it } from 'vitest';
import type { EgressRule, IngressRule } from '@godwit/protocol';
import { StreamUsers } from './stream-users.js';
import { createTransportState, type TransportState } from './transport-state.js';

const stream = (streamId: string) => ({ streamId, encodingId: 0 });

function transport(transportId: string, sends: string[], receives: string[]): TransportState {
  return createTransportState(transportId, 1, {
    generation: 1,
    ingress: sends.map((streamId) => stream(streamId) as IngressRule),
    egress: receives.map((streamId) => stream(streamId) as EgressRule),
  });
}

describe('users of streams', () => {
  it('are found by the stream that they send or receive', () => {
    const users = new StreamUsers();
    const [a, b] = [transport('a', ['x'], ['y']), transport('b', ['y'], ['x'])];
    users.set(a);
    users.set(b);
    expect(users.publisher(stream('x'))).toBe(a);
    expect([...users.subscribers(stream('x'))]).toEqual([b]);
    expect(users.publisher(stream('z'))).toBeUndefined();
    expect(users.subscribers({ ...stream('x'), encodingId: 1 }).size).toBe(0);
  });

  it('follow what their media become', () => {
    const users = new StreamUsers();
    const a = transport('a', [], ['x', 'y']);
    users.set(a);
    a.media = { ...a.media, egress: [stream('y') as EgressRule] };
    users.set(a);
    expect(users.subscribers(stream('x')).size).toBe(0);
    expect(users.subscribers(stream('y')).size).toBe(1);
    users.remove(a);
    expect(users.subscribers(stream('y')).size).toBe(0);
  });
});
