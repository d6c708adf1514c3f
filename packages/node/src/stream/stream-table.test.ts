import { describe, expect, it } from 'vitest';
import type { Datapath, StreamKey, StreamOptions } from '@godwit/datapath';
import type { StreamRoute } from '@godwit/protocol';
import type { RoutedStream, Router } from '@godwit/sfu';
import { FORMER_INGRESS_MS } from '../limits.js';
import { StreamTable } from './stream-table.js';

const STREAM = '00000000000000aa';

function setup(nodeId: string) {
  const streams = new Map<string, StreamOptions>();
  const routed = new Map<string, RoutedStream>();
  const datapath = {
    setStream: (options: StreamOptions) => streams.set(options.streamId, options),
    removeStream: ({ streamId }: StreamKey) => streams.delete(streamId),
  };
  const router = {
    setStream: (route: RoutedStream) => routed.set(route.streamId, route),
    removeStream: ({ streamId }: StreamKey) => routed.delete(streamId),
  };
  const table = new StreamTable(datapath as unknown as Datapath, router as unknown as Router, () => true);
  table.setNodeId(nodeId);
  return { table, options: () => streams.get(STREAM), source: () => routed.get(STREAM)?.source };
}

function route(ingressNodeId: string, ingressEpoch: number, consumerNodeIds: string[]): StreamRoute {
  return {
    streamId: STREAM,
    ingressNodeId,
    ingressEpoch,
    encodings: [{ encodingId: 0, kind: 'video', clockRate: 90_000 }],
    consumerNodeIds,
  };
}

describe('the streams of a node', () => {
  it('are relayed from where the publisher is to every other consumer', () => {
    const a = setup('a');
    a.table.setRoutes(0, [route('a', 1, ['a', 'b', 'c'])]);
    expect(a.options()?.relayTo).toEqual(['b', 'c']);
    expect(a.options()?.acceptFrom).toEqual([]);
    const b = setup('b');
    b.table.setRoutes(0, [route('a', 1, ['a', 'b', 'c'])]);
    expect(b.options()?.relayTo).toEqual([]);
    expect(b.options()?.acceptFrom).toEqual([{ linkId: 'a', ingressEpoch: 1 }]);
    expect(b.source()).toEqual({ kind: 'link', linkId: 'a' });
  });

  it('do not concern a node that neither feeds nor consumes them', () => {
    const d = setup('d');
    d.table.setRoutes(0, [route('a', 1, ['b'])]);
    expect(d.options()).toBeUndefined();
  });

  it('turn round at the instant of a transfer, and the former owner is heard for a bounded time', () => {
    const b = setup('b');
    b.table.setRoutes(0, [route('a', 1, ['a', 'b'])]);
    b.table.moveIngress(1_000, [STREAM], 'b', 2);
    expect(b.options()).toMatchObject({
      ingressEpoch: 2,
      relayTo: ['a'],
      acceptFrom: [{ linkId: 'a', ingressEpoch: 1 }],
    });
    expect(b.source()).toEqual({ kind: 'local' });
    b.table.tick(1_000 + FORMER_INGRESS_MS - 1);
    expect(b.options()?.acceptFrom).toHaveLength(1);
    b.table.tick(1_000 + FORMER_INGRESS_MS);
    expect(b.options()?.acceptFrom).toEqual([]);
  });

  it('accept the coming owner before the former one has heard that it began', () => {
    const a = setup('a');
    a.table.setRoutes(0, [route('a', 1, ['a', 'b'])]);
    a.table.expectIngress([STREAM], 'b', 2);
    expect(a.options()?.acceptFrom).toEqual([{ linkId: 'b', ingressEpoch: 2 }]);
    const c = setup('c');
    c.table.setRoutes(0, [{ ...route('a', 1, ['c']), upcomingIngresses: [{ nodeId: 'b', epoch: 2 }] }]);
    expect(c.options()?.acceptFrom).toEqual([
      { linkId: 'a', ingressEpoch: 1 },
      { linkId: 'b', ingressEpoch: 2 },
    ]);
  });

  it('do not turn back when control states a route that it made before the transfer', () => {
    const b = setup('b');
    b.table.setRoutes(0, [route('a', 1, ['a', 'b'])]);
    b.table.moveIngress(10, [STREAM], 'b', 2);
    b.table.setRoutes(20, [route('a', 1, ['a', 'b', 'c'])]);
    expect(b.options()).toMatchObject({ ingressEpoch: 2, relayTo: ['a', 'c'] });
  });

  it('come for good from where they came before, after a transfer that came to nothing', () => {
    const b = setup('b');
    b.table.setRoutes(0, [route('a', 1, ['a', 'b'])]);
    const former = b.table.ingressOf([STREAM]);
    // Moves in between have failed, so the epochs are not neighbours.
    b.table.moveIngress(10, [STREAM], 'b', 4);
    b.table.restoreIngress(20, former);
    b.table.tick(20 + FORMER_INGRESS_MS);
    expect(b.source()).toEqual({ kind: 'link', linkId: 'a' });
    expect(b.options()?.acceptFrom).toEqual([{ linkId: 'a', ingressEpoch: 1 }]);
  });

  it('are taken by the former and the new epoch from an owner that came back, whatever control said before', () => {
    const b = setup('b');
    b.table.setRoutes(0, [route('a', 1, ['a', 'b'])]);
    b.table.moveIngress(10, [STREAM], 'b', 4);
    b.table.moveIngress(20, [STREAM], 'a', 5);
    b.table.expectIngress([STREAM], 'a', 1);
    b.table.tick(20 + FORMER_INGRESS_MS);
    expect(b.options()?.acceptFrom).toEqual([
      { linkId: 'a', ingressEpoch: 5 },
      { linkId: 'a', ingressEpoch: 1 },
    ]);
    b.table.setRoutes(3_000, [route('b', 4, ['a', 'b'])]);
    expect(b.source()).toEqual({ kind: 'link', linkId: 'a' });
  });

  it('are forgotten after a little when they end', () => {
    const a = setup('a');
    a.table.setRoutes(0, [route('a', 3, ['a', 'b'])]);
    a.table.setRoutes(100, [{ ...route('', 0, []), encodings: [] }]);
    a.table.tick(100 + FORMER_INGRESS_MS);
    expect(a.options()).toBeUndefined();
  });

  it('stay cached a little when nobody needs them any more, then are forgotten', () => {
    const a = setup('a');
    a.table.setRoutes(0, [route('a', 1, ['a'])]);
    a.table.setRoutes(100, [route('b', 2, ['b'])]);
    a.table.tick(100 + FORMER_INGRESS_MS - 1);
    expect(a.options()).toBeDefined();
    a.table.tick(100 + FORMER_INGRESS_MS);
    expect(a.options()).toBeUndefined();
    expect(a.table.has(STREAM)).toBe(false);
  });
});
