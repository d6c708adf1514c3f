import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseStunMessage } from '@godwit/rtp';
import { createIceCredentials, IceLiteAgent } from '@godwit/transport';
import { IceClient, type IceClientOutput, type IceRemote } from './ice-client.js';

// Against the platform's own ICE-lite agent, in virtual time: what the client sends is answered as a node does.

const remoteAt = (port: number, priority: number): IceRemote => ({ address: '127.0.0.1', port, priority });
const A = remoteAt(1_000, 100);
const B = remoteAt(2_000, 200);

const server = createIceCredentials(randomBytes);
const client = createIceCredentials(randomBytes);
let ice: IceClient;
let agent: IceLiteAgent;
let nowMs: number;
/** Ports that answer. */
let alive: Set<number>;
let sent: { port: number; nominates: boolean; atMs: number }[];
let selected: number[];
let hasExpired: boolean;

beforeEach(() => {
  ice = new IceClient(randomBytes(16));
  agent = new IceLiteAgent(0, { local: server, remote: client });
  nowMs = 0;
  alive = new Set([A.port, B.port]);
  sent = [];
  selected = [];
  hasExpired = false;
});

function carryOut(outputs: readonly IceClientOutput[]): void {
  for (const output of outputs) {
    if (output.kind === 'selected') selected.push(output.remote.port);
    else if (output.kind === 'consentExpired') hasExpired = true;
    else {
      const { port } = output.to;
      sent.push({ port, nominates: parseStunMessage(output.bytes)?.useCandidate === true, atMs: nowMs });
      if (!alive.has(port)) continue;
      const pair = { socket: port, remote: { address: '127.0.0.1', port: 9, family: 'IPv4' as const } };
      for (const answer of agent.handleBindingRequest(nowMs, output.bytes, pair)) {
        if (answer.kind === 'send') carryOut(ice.receive(nowMs, answer.bytes));
      }
    }
  }
}

function run(durationMs: number): void {
  const endMs = nowMs + durationMs;
  while (ice.dueMs(nowMs) <= endMs) {
    nowMs = Math.max(nowMs, ice.dueMs(nowMs));
    carryOut(ice.tick(nowMs));
  }
  nowMs = endMs;
}

describe('the ICE of a peer', () => {
  it('selects an address that answers and nominates it with a later check', () => {
    carryOut(ice.start(nowMs, client, server, [A]));
    run(200);
    expect(selected).toEqual([A.port]);
    expect(sent.map(({ nominates }) => nominates)).toEqual([false, true]);
    expect(agent.nominated?.socket).toBe(A.port);
  });

  it('goes to a later address of higher priority once that answers, and not before', () => {
    carryOut(ice.start(nowMs, client, server, [A]));
    run(1_000);
    alive.delete(B.port);
    carryOut(ice.addRemote(nowMs, B));
    run(500);
    expect(ice.selected).toBe(A);
    alive.add(B.port);
    run(200);
    expect(selected).toEqual([A.port, B.port]);
    expect(agent.nominated?.socket).toBe(B.port);
  });

  it('does not follow an address of lower priority', () => {
    carryOut(ice.start(nowMs, client, server, [B]));
    run(100);
    carryOut(ice.addRemote(nowMs, A));
    run(5_000);
    expect(selected).toEqual([B.port]);
  });

  it('falls back when the selected address falls silent', () => {
    carryOut(ice.start(nowMs, client, server, [A, B]));
    run(1_000);
    expect(ice.selected).toBe(B);
    alive.delete(B.port);
    run(7_000);
    expect(ice.selected).toBe(A);
    expect(hasExpired).toBe(false);
  });

  it('keeps consent with one check every 2.5 s', () => {
    carryOut(ice.start(nowMs, client, server, [A]));
    run(1_000);
    sent = [];
    run(10_000);
    expect(sent).toHaveLength(4);
  });

  it('takes a restart: the former path serves until the new generation answers', () => {
    carryOut(ice.start(nowMs, client, server, [A]));
    run(1_000);
    const next = { server: createIceCredentials(randomBytes), client: createIceCredentials(randomBytes) };
    carryOut(ice.start(nowMs, next.client, next.server, [B]));
    run(500);
    expect(ice.selected).toBe(A);
    agent.restart(next.server);
    agent.setRemote(next.client);
    run(200);
    expect(ice.selected).toBe(B);
  });

  it('says once that consent has expired', () => {
    carryOut(ice.start(nowMs, client, server, [A]));
    run(1_000);
    alive.clear();
    run(29_000);
    expect(hasExpired).toBe(false);
    run(5_000);
    expect(hasExpired).toBe(true);
  });

  it('believes no answer that does not know the password', () => {
    carryOut(ice.start(nowMs, client, { ...server, pwd: 'x'.repeat(24) }, [A]));
    run(1_000);
    expect(ice.selected).toBeNull();
  });
});
