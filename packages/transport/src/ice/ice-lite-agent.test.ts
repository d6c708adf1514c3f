import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { IceCredentials } from '@godwit/protocol';
import { buildBindingRequest, parseStunMessage, verifyIntegrity } from '@godwit/rtp';
import { CONSENT_TIMEOUT_MS, ICE_PAIRS_MAX, ICE_REFUSALS_PER_SECOND_MAX } from '../limits.js';
import { IceLiteAgent, type IceOutput } from './ice-lite-agent.js';
import type { IcePair } from './pair.js';

const local: IceCredentials = { ufrag: 'serverUfrag16cha', pwd: 'serverPasswordOf24Chars+' };
const remote: IceCredentials = { ufrag: 'abcd', pwd: 'clientPasswordOf22char' };
const pairAt = (port: number): IcePair => ({
  socket: 1,
  remote: { address: '198.51.100.7', port, family: 'IPv4' },
});
const pair = pairAt(40_000);

const createAgent = () => new IceLiteAgent(0, { local, remote });

type RequestInit = Parameters<typeof buildBindingRequest>[0];
function check(overrides: Partial<RequestInit> = {}): Buffer {
  return buildBindingRequest({
    transactionId: Buffer.alloc(12, 9),
    username: `${local.ufrag}:${remote.ufrag}`,
    password: local.pwd,
    priority: 1,
    iceRole: { role: 'controlling', tieBreaker: 1n },
    ...overrides,
  });
}

const kinds = (outputs: IceOutput[]) => outputs.map((output) => output.kind);
const rejection = (outputs: IceOutput[]) => outputs.find((output) => output.kind === 'rejected')?.reason;
function response(outputs: IceOutput[]) {
  const sent = outputs.find((output) => output.kind === 'send');
  return sent === undefined ? null : parseStunMessage(sent.bytes);
}

describe('checks', () => {
  it('answers with the address it came from, and validates the pair once', () => {
    const agent = createAgent();
    const outputs = agent.handleBindingRequest(5, check(), pair);
    expect(kinds(outputs)).toEqual(['send', 'validated']);
    const answer = response(outputs);
    expect(answer?.class).toBe('success');
    expect(answer?.xorMappedAddress).toEqual(pair.remote);
    expect(answer !== null && verifyIntegrity(answer, local.pwd)).toBe(true);
    expect(kinds(agent.handleBindingRequest(6, check(), pair))).toEqual(['send']);
    expect(agent.lastHeardMs).toBe(6);
  });

  it('follows the pair that the client nominates', () => {
    const agent = createAgent();
    const nominate = (port: number) =>
      kinds(agent.handleBindingRequest(1, check({ useCandidate: true }), pairAt(port)));
    expect(nominate(1)).toEqual(['send', 'validated', 'nominated']);
    expect(nominate(1)).toEqual(['send']);
    expect(nominate(2)).toEqual(['send', 'validated', 'nominated']);
    expect(nominate(1)).toEqual(['send', 'nominated']);
    expect(agent.nominated).toEqual(pairAt(1));
  });

  it('takes checks that come before the client’s description', () => {
    const agent = new IceLiteAgent(0, { local, remote: null });
    expect(
      kinds(agent.handleBindingRequest(1, check({ username: `${local.ufrag}:anything` }), pair)),
    ).toEqual(['send', 'validated']);
  });

  it.each([
    ['unknownUsername', check({ username: 'other:abcd' }), 401],
    ['unknownUsername', check({ username: `${local.ufrag}:other` }), 401],
    ['unknownUsername', check({ username: undefined }), 400],
    ['integrity', check({ password: 'wrong' }), 401],
    ['integrity', check({ password: undefined }), 400],
    ['roleConflict', check({ iceRole: { role: 'controlled', tieBreaker: 1n } }), 487],
    ['malformed', Buffer.alloc(20), undefined],
  ])('rejects by %s and learns nothing', (reason, bytes, code) => {
    const agent = createAgent();
    const outputs = agent.handleBindingRequest(5, bytes, pair);
    expect(rejection(outputs)).toBe(reason);
    expect(response(outputs)?.errorCode?.code).toBe(code);
    expect(agent.pairs).toEqual([]);
    expect(agent.lastHeardMs).toBe(0);
  });

  it('rejects a wrong fingerprint without an answer', () => {
    const bytes = check();
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
    expect(createAgent().handleBindingRequest(1, bytes, pair)).toEqual([
      { kind: 'rejected', reason: 'fingerprint' },
    ]);
  });

  it('bounds pairs, and answers to the unauthenticated', () => {
    const agent = createAgent();
    agent.handleBindingRequest(1, check({ useCandidate: true }), pairAt(1));
    for (let port = 2; port < 30; port += 1) agent.handleBindingRequest(1, check(), pairAt(port));
    expect(agent.pairs).toHaveLength(ICE_PAIRS_MAX);
    expect(agent.pairs[0]).toEqual(pairAt(1));
    const refusals = Array.from({ length: 30 }, () =>
      agent.handleBindingRequest(1, check({ password: 'wrong' }), pair),
    );
    expect(refusals.filter((outputs) => response(outputs) !== null)).toHaveLength(
      ICE_REFUSALS_PER_SECOND_MAX,
    );
    expect(kinds(agent.handleBindingRequest(1, check(), pairAt(1)))).toEqual(['send']);
  });

  it('never throws on arbitrary or changed bytes, and takes none of them for a check', () => {
    const agent = createAgent();
    const changed = fc.tuple(fc.nat({ max: check().length * 8 - 1 })).map(([bit]) => {
      const bytes = check();
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      return bytes;
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), changed), (bytes) => {
        expect(rejection(agent.handleBindingRequest(1, bytes, pair))).toBeDefined();
      }),
    );
    expect(agent.pairs).toEqual([]);
  });
});

describe('consent', () => {
  it('expires once, 30 s after the last check, wherever that was answered', () => {
    const agent = createAgent();
    agent.handleBindingRequest(1_000, check(), pair);
    agent.noteConsent(2_000);
    expect(agent.tick(2_000 + CONSENT_TIMEOUT_MS)).toEqual([]);
    expect(agent.tick(2_001 + CONSENT_TIMEOUT_MS)).toEqual([{ kind: 'consentExpired' }]);
    expect(agent.tick(9_000 + CONSENT_TIMEOUT_MS)).toEqual([]);
  });
});

describe('restart', () => {
  const next: IceCredentials = { ufrag: 'nextServerUfrag1', pwd: 'nextServerPasswordOf24Ch' };
  const nextCheck = () => check({ username: `${next.ufrag}:efgh`, password: next.pwd, useCandidate: true });

  it('answers with both credentials until the new ones have a nominated pair', () => {
    const agent = createAgent();
    agent.handleBindingRequest(1, check({ useCandidate: true }), pair);
    agent.restart(next);
    expect(agent.localUfrags).toEqual([next.ufrag, local.ufrag]);
    expect(kinds(agent.handleBindingRequest(2, check(), pair))).toEqual(['send']);
    expect(kinds(agent.handleBindingRequest(3, nextCheck(), pairAt(2)))).toEqual([
      'send',
      'validated',
      'nominated',
    ]);
    expect(rejection(agent.handleBindingRequest(4, check(), pair))).toBe('unknownUsername');
  });

  it('keeps the credentials that the client uses through a second restart', () => {
    const agent = createAgent();
    agent.handleBindingRequest(1, check({ useCandidate: true }), pair);
    agent.restart({ ufrag: 'neverTold16chars', pwd: next.pwd });
    agent.restart(next);
    expect(agent.localUfrags).toEqual([next.ufrag, local.ufrag]);
    expect(kinds(agent.handleBindingRequest(2, check(), pair))).toEqual(['send']);
    expect(kinds(agent.handleBindingRequest(3, nextCheck(), pairAt(2)))).toContain('nominated');
  });

  it('lets the older credentials go when the client has begun to use the newer ones', () => {
    const agent = createAgent();
    agent.restart(next);
    agent.handleBindingRequest(1, check({ username: `${next.ufrag}:efgh`, password: next.pwd }), pair);
    agent.restart({ ufrag: 'thirdServerUfrag', pwd: next.pwd });
    expect(agent.localUfrags).toEqual(['thirdServerUfrag', next.ufrag]);
  });
});

describe('freeze and thaw', () => {
  it('goes on with credentials and consent, on another clock', () => {
    const agent = createAgent();
    agent.handleBindingRequest(1_000, check(), pair);
    const thawed = IceLiteAgent.thaw(500_000, agent.freeze(3_000));
    expect(thawed.lastHeardMs).toBe(498_000);
    expect(kinds(thawed.handleBindingRequest(500_001, check(), pair))).toEqual(['send', 'validated']);
  });

  it('lets a target that knows the client already take over, and only with the same credentials', () => {
    const source = createAgent();
    source.setRemote(remote);
    source.noteConsent(1_000);
    const target = new IceLiteAgent(0, { local, remote: null });
    target.handleBindingRequest(100, check({ useCandidate: true }), pair);
    expect(target.adopt(200, source.freeze(1_500))).toBe(true);
    expect(target.nominated).toEqual(pair);
    expect(target.remote).toEqual(remote);
    expect(target.lastHeardMs).toBe(100);
    const other = { ...source.freeze(1_500), local: { ufrag: 'other', pwd: local.pwd } };
    expect(target.adopt(300, other)).toBe(false);
  });
});
