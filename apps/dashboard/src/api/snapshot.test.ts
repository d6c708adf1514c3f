import { expect, test } from 'vitest';
import fc from 'fast-check';
import { hasEnded, parseSnapshot } from './snapshot.js';

test('reads nodes, owners and the outcome and gap of every moved connection', () => {
  const snapshot = parseSnapshot({
    sessionId: 's',
    nodes: [{ id: 'node-a', state: 'in-service', version: 'x' }],
    connections: [{ connectionId: 'c', nodeId: 'node-a', migratable: true, epoch: 3 }],
    migrations: [
      {
        id: 'm',
        status: 'completed',
        progress: { moved: 1, total: 1 },
        connections: [
          {
            connectionId: 'c',
            outcome: 'completed',
            from: 'node-b',
            to: 'node-a',
            gap: { ms: 41, source: 'client' },
          },
        ],
      },
    ],
  });
  expect(snapshot?.connections[0]).toEqual({
    connectionId: 'c',
    nodeId: 'node-a',
    migratable: true,
    epoch: 3,
  });
  expect(snapshot?.migrations[0]?.connections[0]).toEqual({
    connectionId: 'c',
    outcome: 'completed',
    from: 'node-b',
    to: 'node-a',
    gapMs: 41,
    failure: null,
  });
});

test('an unmeasured gap is null, not zero', () => {
  const connections = [{ connectionId: 'c', outcome: 'running', gap: { ms: null, source: 'none' } }];
  const snapshot = parseSnapshot({
    sessionId: 's',
    migrations: [{ id: 'm', status: 'running', connections }],
  });
  expect(snapshot?.migrations[0]?.connections[0]?.gapMs).toBeNull();
  expect(snapshot?.migrations[0]?.progress).toEqual({ moved: 0, total: 1 });
});

test('only pending and running migrations go on', () => {
  const statusOf = (status: string) => {
    const migration = parseSnapshot({ sessionId: 's', migrations: [{ id: 'm', status }] })?.migrations[0];
    return migration === undefined ? undefined : hasEnded(migration);
  };
  expect(['pending', 'running', 'completed', 'failed', 'cancelled', 'odd'].map(statusOf)).toEqual([
    false,
    false,
    true,
    true,
    true,
    undefined,
  ]);
});

test('whatever the server answers, reading it never throws', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      parseSnapshot(value);
      parseSnapshot({ sessionId: 's', nodes: value, connections: [value], migrations: [value] });
    }),
  );
});
