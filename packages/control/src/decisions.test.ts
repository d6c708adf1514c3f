import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newSessionId, parseSessionId } from './ids.js';
import { decideMigration, type MigrationQuestion } from './migration/eligibility.js';
import { grantedOwner } from './migration/granted-owner.js';
import { chooseTarget, placeTransport, type PlacementNode } from './nodes/placement.js';
import { loadSecrets, secretsPath } from './secrets.js';
import type { Project } from './projects/project.js';
import { parseSettings } from './settings.js';
import { TokenBucket } from './signalling/token-bucket.js';
import { verifyClientToken } from './tokens/client-token.js';
import { candidatesOfHop, candidatesOfRestart } from './transports/describe.js';

const node = (nodeId: string, transports: number, inService = true, load = 0): PlacementNode => ({
  nodeId,
  transports,
  inService,
  load,
  stateSchemas: [1],
  remainingMs: null,
});

describe('placement', () => {
  it('migrates only to a node that has a layout of the state in common with every owner', () => {
    const nodes = [
      node('a', 5),
      { ...node('b', 9), stateSchemas: [2, 1] },
      { ...node('c', 0), stateSchemas: [3, 2] },
      { ...node('d', 7), stateSchemas: [] },
    ];
    expect(chooseTarget(nodes, ['a'], null)).toBe('b');
    expect(chooseTarget(nodes, ['b'], null)).toBe('c');
    expect(chooseTarget(nodes, ['b', 'b', 'a'], null)).toBe('a');
    expect(chooseTarget(nodes, ['c', 'c', 'a'], null)).toBe('b');
    expect(chooseTarget([node('a', 5), { ...node('c', 0), stateSchemas: [3] }], ['a'], null)).toBeNull();
    expect(chooseTarget(nodes, ['a', 'd'], null)).toBe('b');
  });

  it('starts at the home of the session, else at the least loaded node in service', () => {
    const nodes = [node('a', 5), node('b', 2), node('c', 0, false)];
    expect(placeTransport(nodes, 'a')).toBe('a');
    expect(placeTransport(nodes, 'c')).toBe('b');
    expect(placeTransport(nodes, null)).toBe('b');
    expect(placeTransport([node('c', 0, false)], null)).toBeNull();
    expect(placeTransport([node('b', 1, true, 0.9), node('a', 1, true, 0.1)], null)).toBe('a');
  });

  it('begins at a node that ends soon only where there is no other, and then at the one that ends last', () => {
    const ending = (nodeId: string, remainingMs: number): PlacementNode => ({
      ...node(nodeId, 0),
      remainingMs,
    });
    const [hour, day] = [3_600_000, 86_400_000];
    expect(placeTransport([ending('a', hour), node('b', 9)], null)).toBe('b');
    expect(placeTransport([ending('a', hour), node('b', 9)], 'a')).toBe('a');
    expect(placeTransport([ending('a', day), node('b', 9)], null)).toBe('a');
    expect(placeTransport([ending('a', hour), ending('b', 2 * hour), ending('c', -1)], null)).toBe('b');
    expect(chooseTarget([node('a', 1), ending('b', hour), node('c', 9)], ['a'], null)).toBe('c');
    expect(chooseTarget([node('a', 1), ending('b', hour)], ['a'], null)).toBe('b');
  });

  it('migrates away from where most of the session is', () => {
    const nodes = [node('a', 5), node('b', 2), node('c', 1)];
    expect(chooseTarget(nodes, ['c', 'c', 'b'], null)).toBe('b');
    expect(chooseTarget(nodes, [], 'c')).toBe('b');
    expect(chooseTarget([node('a', 1)], ['a'], null)).toBeNull();
  });
});

describe('whether a session may migrate', () => {
  const question: MigrationQuestion = {
    session: { createdAtMs: 0, lastMigrationEndedAtMs: null, homeNodeId: 'a' },
    running: false,
    requestedTarget: null,
    nodes: [node('a', 1), node('b', 0), node('c', 0, false)],
    owners: ['a'],
    minAgeMs: 60_000,
    nowMs: 60_000,
  };
  it.each([
    ['a plain request', {}, 'b'],
    ['a named target', { requestedTarget: 'a' }, 'a'],
    ['an unknown target', { requestedTarget: 'x' }, 'nodeNotFound'],
    ['a target out of service', { requestedTarget: 'c' }, 'targetNotInService'],
    ['one that runs', { running: true }, 'migrationInProgress'],
    ['a session a moment too young', { nowMs: 59_999 }, 'migrationTooSoon'],
    [
      'a migration just ended',
      { nowMs: 200_000, session: { ...question.session, lastMigrationEndedAtMs: 190_000 } },
      'migrationTooSoon',
    ],
    ['no minimum age', { nowMs: 1, minAgeMs: 0 }, 'b'],
    ['no second node', { nodes: [node('a', 1)] }, 'noOtherNode'],
  ] as const)('%s', (_name, change, expected) => {
    const decision = decideMigration({ ...question, ...change });
    expect(decision.allowed ? decision.targetNodeId : decision.error).toBe(expected);
  });
});

describe('who owns after a move', () => {
  const before = { ownerNodeId: 'a', epoch: 1 };
  const intent = { moveId: 'm', sourceNodeId: 'a', targetNodeId: 'b', targetEpoch: 4, returnEpoch: 5 };
  it.each([
    ['the target by its grant', { ownerNodeId: 'b', epoch: 4 }, { ownerNodeId: 'b', epoch: 4 }],
    ['the source that took back', { ownerNodeId: 'a', epoch: 5 }, { ownerNodeId: 'a', epoch: 5 }],
    ['the source that never let go', { ownerNodeId: 'a', epoch: 3 }, before],
    ['a target by another epoch', { ownerNodeId: 'b', epoch: 5 }, null],
    ['a stranger', { ownerNodeId: 'c', epoch: 4 }, null],
  ])('%s', (_name, reported, expected) => {
    expect(grantedOwner(before, intent, reported)).toEqual(expected);
  });

  it('the source that took back although the target is on record; not one that merely says it never let go', () => {
    const recorded = { ownerNodeId: 'b', epoch: 4 };
    const tookBack = { ownerNodeId: 'a', epoch: 5 };
    expect(grantedOwner(recorded, intent, tookBack)).toEqual(tookBack);
    expect(grantedOwner(recorded, intent, { ownerNodeId: 'a' })).toBeNull();
  });
});

describe('candidate priorities', () => {
  it('grow by 2^16 a hop until they run out', () => {
    const addresses = [
      { address: '192.0.2.1', port: 1, family: 'IPv4' as const },
      { address: '2001:db8::1', port: 1, family: 'IPv6' as const },
    ];
    const top = (hop: number): number => candidatesOfHop(addresses, hop)?.candidates[0]?.priority ?? 0;
    expect(top(1) - top(0)).toBe(2 ** 16);
    expect(candidatesOfHop(addresses, 0)?.candidates[1]?.priority).toBe(top(0) - 256);
    expect(top(16_383)).toBeLessThanOrEqual(2 ** 31 - 1);
    expect(candidatesOfHop(addresses, 16_384)).toBeNull();
  });

  it('go on growing through an ICE restart, and start anew only when they have run out', () => {
    const addresses = [{ address: '192.0.2.1', port: 1, family: 'IPv4' as const }];
    expect(candidatesOfRestart(addresses, 7)).toEqual(candidatesOfHop(addresses, 8));
    expect(candidatesOfRestart(addresses, 16_383)).toEqual(candidatesOfHop(addresses, 0));
  });
});

describe('a token bucket', () => {
  it('never allows more than its burst and its rate', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200), { maxLength: 300 }), (pauses) => {
        const bucket = new TokenBucket(10, 5, 0);
        let nowMs = 0;
        let allowed = 0;
        for (const pause of pauses) {
          nowMs += pause;
          if (bucket.take(nowMs)) allowed += 1;
        }
        expect(allowed).toBeLessThanOrEqual(10 + (nowMs * 5) / 1_000);
      }),
    );
  });
});

describe('session ids', () => {
  it('name their project and location, and are safe in a path', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9a-z-]{1,40}$/), fc.nat(), (apiKey, nowMs) => {
        const sessionId = newSessionId(apiKey, '192.0.2.1', nowMs);
        expect(sessionId).toMatch(/^\d_[A-Za-z0-9_-]+$/);
        expect(parseSessionId(sessionId)).toEqual({ apiKey, location: '192.0.2.1' });
      }),
    );
    fc.assert(fc.property(fc.string(), (text) => void parseSessionId(text)));
  });
});

describe('client tokens', () => {
  const project: Project = {
    apiKey: '1',
    name: '',
    createdAtMs: 0,
    secrets: ['secret'],
    publicKeys: [],
    signatureSecret: null,
  };
  it('never throw and never pass, whatever the text', async () => {
    const text = fc.oneof(
      fc.string(),
      fc
        .string()
        .map(
          (inner) => `T1==${Buffer.from(`partner_id=1&sig=${'0'.repeat(40)}:${inner}`).toString('base64')}`,
        ),
      fc.tuple(fc.base64String(), fc.base64String(), fc.base64String()).map((parts) => parts.join('.')),
    );
    await fc.assert(
      fc.asyncProperty(text, async (token) => {
        expect(await verifyClientToken(token, project, 0)).toHaveProperty('refused');
      }),
    );
  });

  it('are not taken unsigned or with another algorithm', async () => {
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = encode({
      iss: '1',
      ist: 'project',
      scope: 'session.connect',
      session_id: 's',
      exp: 9_999_999_999,
    });
    for (const alg of ['none', 'HS512', 'RS256']) {
      const refused = await verifyClientToken(`${encode({ alg })}.${claims}.`, project, 0);
      expect(refused).toEqual({
        refused:
          alg === 'RS256'
            ? "The token's signature is not valid."
            : 'The token is signed with neither HS256 nor RS256.',
      });
    }
  });
});

describe('settings', () => {
  it('have their documented defaults', () => {
    expect(parseSettings({})).toEqual({
      host: '127.0.0.1',
      port: 4600,
      dataDir: '.godwit',
      migrationMinAgeMs: 60_000,
      callbacksToPrivate: true,
      demo: true,
      rateLimits: { projectPerSecond: 500, failuresPerMinute: 300 },
      trustedProxies: [],
      logLevel: 'info',
    });
  });

  it.each([
    [{ GODWIT_PORT: 'http' }, 'GODWIT_PORT must be a port number, e.g. 4600.'],
    [{ GODWIT_PORT: '70000' }, 'GODWIT_PORT must be a port number, e.g. 4600.'],
    [
      { GODWIT_MIGRATION_MIN_AGE_SECONDS: '-1' },
      'GODWIT_MIGRATION_MIN_AGE_SECONDS must not be negative; 0 switches the limit off.',
    ],
    [{ GODWIT_API_KEY: '1' }, 'GODWIT_API_KEY and GODWIT_API_SECRET belong together: set both, or neither.'],
    [{ GODWIT_DEMO: 'perhaps' }, 'GODWIT_DEMO must be on or off.'],
    [{ GODWIT_TRUSTED_PROXIES: 'proxy.example' }, 'GODWIT_TRUSTED_PROXIES must be addresses or networks'],
    [
      { GODWIT_TRUSTED_PROXIES: '10.0.0.1,10.0.0.0/33' },
      'GODWIT_TRUSTED_PROXIES must be addresses or networks',
    ],
    [{ GODWIT_TLS_CERT_FILE: 'x' }, 'GODWIT_TLS_CERT_FILE and GODWIT_TLS_KEY_FILE belong together'],
  ])('name the variable and the remedy: %o', (env, message) => {
    expect(() => parseSettings(env)).toThrow(message);
  });

  it('never repeat a secret that is too short', () => {
    expect(() => parseSettings({ GODWIT_JOIN_KEY: 'hunter2' })).toThrow(/^(?!.*hunter2)GODWIT_JOIN_KEY/);
  });
});

describe('secrets', () => {
  it('are generated once, kept for their owner only, and give way to what is set', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'godwit-secrets-'));
    const settings = parseSettings({ GODWIT_DATA_DIR: join(folder, 'data') });
    const first = await loadSecrets(settings);
    expect(await loadSecrets(settings)).toEqual(first);
    expect((await stat(secretsPath(settings.dataDir))).mode & 0o777).toBe(0o600);
    const set = await loadSecrets({ ...settings, adminToken: 'set-by-the-operator' });
    expect(set).toEqual({ ...first, adminToken: 'set-by-the-operator' });
    expect(await readFile(secretsPath(settings.dataDir), 'utf8')).not.toContain('set-by-the-operator');
    // A file of a version that had no storage key gets one, and keeps the rest.
    const { storageKey, ...former } = first;
    await writeFile(secretsPath(settings.dataDir), JSON.stringify(former));
    const completed = await loadSecrets(settings);
    expect({ ...completed, storageKey }).toEqual(first);
    expect(completed.storageKey).not.toBe(storageKey);
    expect(await loadSecrets(settings)).toEqual(completed);
    await writeFile(secretsPath(settings.dataDir), '{');
    await expect(loadSecrets(settings)).rejects.toThrow('is damaged');
    await rm(folder, { recursive: true });
  });
});
