import type { NodeRegistration } from '@godwit/protocol';
import type { Storage } from '@godwit/storage';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { NODE_HEARTBEAT_INTERVAL_MS } from '@godwit/protocol';
import { NODE_FORGET_MS, NODE_HEARTBEATS_MISSED_MAX, TICK_INTERVAL_MS } from '../limits.js';
import { NodeRegistry } from './registry.js';

const registration = (identityKey: string) =>
  ({ identityKey, nodeId: identityKey, transports: [] }) as unknown as NodeRegistration;
const socket = { send: () => undefined, disconnect: () => undefined };

/** A registry whose database answers only when it is told to. */
function slowRegistry() {
  const answers: (() => void)[] = [];
  const nodes = {
    register: (_node: object, [wishedId]: readonly string[]) =>
      new Promise<string | undefined>((resolve) => answers.push(() => resolve(wishedId))),
  };
  const clock = { nowMs: 1_800_000_000_000 };
  const registry = new NodeRegistry({
    storage: { nodes } as unknown as Storage,
    log: pino({ level: 'silent' }),
    clockMs: () => clock.nowMs,
    controls: () => ({ replicaId: 'only', replicas: [] }),
  });
  return { registry, clock, answer: () => answers.splice(0).forEach((resolve) => resolve()) };
}

describe('the registry of nodes', () => {
  it('never takes a node that is just registering for one that has long been gone', async () => {
    const { registry, clock, answer } = slowRegistry();
    const first = registry.register(registration('first'), socket);
    expect(registry.longGone(clock.nowMs)).toEqual([]);
    const second = registry.register(registration('second'), socket);
    answer();
    expect([(await first)?.nodeId, (await second)?.nodeId]).toEqual(['first', 'second']);
  });

  it('forgets a node that stays away, and not before', async () => {
    const { registry, clock, answer } = slowRegistry();
    const registering = registry.register(registration('first'), socket);
    answer();
    const session = await registering;
    if (session === null) throw new Error('refused');
    registry.socketClosed(session);
    expect(registry.longGone(clock.nowMs + NODE_FORGET_MS)).toEqual([]);
    expect(registry.longGone(clock.nowMs + NODE_FORGET_MS + 1)).toEqual(['first']);
  });

  it('does not hold it against its nodes that it stood still itself', async () => {
    const { registry, clock, answer } = slowRegistry();
    let disconnected = 0;
    const registering = registry.register(registration('first'), {
      ...socket,
      disconnect: () => (disconnected += 1),
    });
    answer();
    await registering;
    registry.tick(clock.nowMs);
    registry.tick((clock.nowMs += 60_000));
    expect(disconnected).toBe(0);
    const silentMs = NODE_HEARTBEAT_INTERVAL_MS * NODE_HEARTBEATS_MISSED_MAX;
    for (let passedMs = 0; passedMs <= silentMs; passedMs += TICK_INTERVAL_MS)
      registry.tick((clock.nowMs += TICK_INTERVAL_MS));
    expect(disconnected).toBeGreaterThan(0);
  });
});
