import { createHmac } from 'node:crypto';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { IceCredentials } from '@godwit/protocol';
import { buildBindingRequest, parseStunMessage, verifyIntegrity } from '@godwit/rtp';
import { CONSENT_TIMEOUT_MS, ICE_REFUSALS_PER_SECOND_MAX } from '../limits.js';
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

/** The request with comprehension-required attributes of no value, which a 420 must list, signed anew. */
function withUnknownAttributes(request: Buffer, count: number, password: string | undefined): Buffer {
  const message = parseStunMessage(request);
  if (message === null || count === 0) return request;
  const end = message.integrityOffset === -1 ? message.fingerprintOffset : message.integrityOffset;
  const attributes = Array.from({ length: count }, (_, at) => Buffer.from([0x7f, at, 0, 0]));
  const body = Buffer.concat([request.subarray(0, end), ...attributes]);
  return sealStun(body, password);
}

/** RFC 8489 14.5 and 14.7: MESSAGE-INTEGRITY with a password, FINGERPRINT. */
function sealStun(body: Buffer, password: string | undefined): Buffer {
  const integrity = (message: Buffer): Buffer => {
    message.writeUInt16BE(message.length - 20 + 24, 2);
    const value = createHmac('sha1', password ?? '')
      .update(message)
      .digest();
    return Buffer.concat([message, Buffer.from([0x00, 0x08, 0, 20]), value]);
  };
  const message = password === undefined ? Buffer.from(body) : integrity(Buffer.from(body));
  message.writeUInt16BE(message.length - 20 + 8, 2);
  const fingerprint = Buffer.from([0x80, 0x28, 0, 4, 0, 0, 0, 0]);
  fingerprint.writeUInt32BE((crc32(message) ^ 0x5354554e) >>> 0, 4);
  return Buffer.concat([message, fingerprint]);
}

const kinds = (outputs: IceOutput[]) => outputs.map((output) => output.kind);
const rejection = (outputs: IceOutput[]) => outputs.find((output) => output.kind === 'rejected')?.reason;
function response(outputs: IceOutput[]) {
  const sent = outputs.find((output) => output.kind === 'send');
  return sent === undefined ? null : parseStunMessage(sent.bytes);
}

describe('checks', () => {
  it('answers with the address it came from, and validates the pair each time', () => {
    const agent = createAgent();
    const outputs = agent.handleBindingRequest(5, check(), pair);
    expect(kinds(outputs)).toEqual(['send', 'validated']);
    const answer = response(outputs);
    expect(answer?.class).toBe('success');
    expect(answer?.xorMappedAddress).toEqual(pair.remote);
    expect(answer !== null && verifyIntegrity(answer, local.pwd)).toBe(true);
    expect(kinds(agent.handleBindingRequest(6, check(), pair))).toEqual(['send', 'validated']);
    expect(agent.lastHeardMs).toBe(6);
  });

  it('follows the pair that the client nominates', () => {
    const agent = createAgent();
    const nominate = (port: number) =>
      kinds(agent.handleBindingRequest(1, check({ useCandidate: true }), pairAt(port)));
    expect(nominate(1)).toEqual(['send', 'validated', 'nominated']);
    expect(nominate(1)).toEqual(['send', 'validated']);
    expect(nominate(2)).toEqual(['send', 'validated', 'nominated']);
    expect(nominate(1)).toEqual(['send', 'validated', 'nominated']);
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
    expect(kinds(outputs)).not.toContain('validated');
    expect(agent.lastHeardMs).toBe(0);
  });

  it('rejects a wrong fingerprint without an answer', () => {
    const bytes = check();
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
    expect(createAgent().handleBindingRequest(1, bytes, pair)).toEqual([
      { kind: 'rejected', reason: 'fingerprint' },
    ]);
  });

  it('bounds answers to the unauthenticated, and lets no flood keep the client from its own', () => {
    const agent = createAgent();
    for (let port = 2; port < 10_000; port += 1) agent.handleBindingRequest(1, check(), pairAt(port));
    const refusals = Array.from({ length: 30 }, () =>
      agent.handleBindingRequest(1, check({ password: 'wrong' }), pair),
    );
    expect(refusals.filter((outputs) => response(outputs) !== null)).toHaveLength(
      ICE_REFUSALS_PER_SECOND_MAX,
    );
    expect(kinds(agent.handleBindingRequest(1, check(), pairAt(1)))).toEqual(['send', 'validated']);
  });

  it('never sends an answer that is larger than its request', () => {
    const agent = createAgent();
    const { ufrag } = local;
    const requests = fc.record(
      {
        username: fc.constantFrom(`${ufrag}:${remote.ufrag}`, `${ufrag}:x`, undefined),
        password: fc.constantFrom(local.pwd, 'wrong', undefined),
        priority: fc.constantFrom(1, undefined),
        iceRole: fc.constantFrom(
          { role: 'controlling' as const, tieBreaker: 1n },
          { role: 'controlled' as const, tieBreaker: 1n },
          undefined,
        ),
        unknown: fc.nat({ max: 6 }),
        port: fc.nat({ max: 0xffff }),
        isIpv6: fc.boolean(),
      },
      { requiredKeys: ['unknown', 'port', 'isIpv6'] },
    );
    let now = 0;
    let answers = 0;
    fc.assert(
      fc.property(requests, ({ unknown, port, isIpv6, ...init }) => {
        const bytes = withUnknownAttributes(check(init), unknown, init.password);
        const from: IcePair = isIpv6
          ? { socket: 1, remote: { address: '2001:db8::7', port, family: 'IPv6' } }
          : pairAt(port);
        for (const output of agent.handleBindingRequest((now += 1_000), bytes, from)) {
          if (output.kind !== 'send') continue;
          answers += 1;
          expect(output.bytes.length).toBeLessThanOrEqual(bytes.length);
        }
      }),
    );
    expect(answers).toBeGreaterThan(10);
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
    expect(kinds(agent.handleBindingRequest(2, check(), pair))).toEqual(['send', 'validated']);
    expect(kinds(agent.handleBindingRequest(3, nextCheck(), pairAt(2)))).toEqual([
      'send',
      'validated',
      'nominated',
    ]);
    expect(rejection(agent.handleBindingRequest(4, check(), pair))).toBe('unknownUsername');
  });

  it('says that the client has chosen the pair that it had before, once in the new generation', () => {
    const agent = createAgent();
    agent.handleBindingRequest(1, check({ useCandidate: true }), pair);
    agent.restart(next);
    expect(kinds(agent.handleBindingRequest(2, nextCheck(), pair))).toContain('nominated');
    expect(kinds(agent.handleBindingRequest(3, nextCheck(), pair))).not.toContain('nominated');
  });

  it('keeps the credentials that the client uses through a second restart', () => {
    const agent = createAgent();
    agent.handleBindingRequest(1, check({ useCandidate: true }), pair);
    agent.restart({ ufrag: 'neverTold16chars', pwd: next.pwd });
    agent.restart(next);
    expect(agent.localUfrags).toEqual([next.ufrag, local.ufrag]);
    expect(kinds(agent.handleBindingRequest(2, check(), pair))).toEqual(['send', 'validated']);
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

describe('an answer that ends a generation', () => {
  const fresh: IceCredentials = { ufrag: 'freshUfrag16char', pwd: 'freshPasswordOf24Charact' };
  const freshCheck = (useCandidate: boolean): Buffer =>
    check({ username: `${fresh.ufrag}:${remote.ufrag}`, password: fresh.pwd, useCandidate });
  const ends = (outputs: IceOutput[]): boolean =>
    outputs.some((output) => output.kind === 'send' && output.endsGeneration === true);

  it('says so until the client has nominated a pair of the new one', () => {
    const agent = createAgent();
    expect(ends(agent.handleBindingRequest(1, check({ useCandidate: true }), pair))).toBe(false);
    agent.restart(fresh);
    expect(ends(agent.handleBindingRequest(2, check(), pair))).toBe(false);
    expect(ends(agent.handleBindingRequest(3, freshCheck(false), pairAt(40_001)))).toBe(true);
    expect(ends(agent.handleBindingRequest(4, freshCheck(true), pairAt(40_001)))).toBe(true);
    expect(ends(agent.handleBindingRequest(5, freshCheck(true), pairAt(40_001)))).toBe(false);
  });
});
