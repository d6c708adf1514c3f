import { readSettings } from '@godwit/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commandSettingsTable } from '../settings/table.js';
import { controlEnvironment, nodeEnvironment, portShare } from './environments.js';

const node = {
  number: 1,
  nodeCount: 2,
  controlUrl: 'http://127.0.0.1:4600',
  joinKey: 'join',
  lan: undefined,
};

const nodeCountOf = (env: Record<string, string>): number =>
  readSettings(commandSettingsTable, env).GODWIT_NODES;

describe('the settings of embedded processes', () => {
  it('are two nodes unless GODWIT_NODES says otherwise', () => {
    expect(nodeCountOf({})).toBe(2);
    expect(nodeCountOf({ GODWIT_NODES: '4' })).toBe(4);
  });

  it.each(['0', '-1', '1.5', 'many', '65'])('refuse GODWIT_NODES=%s by name', (value) => {
    expect(() => nodeCountOf({ GODWIT_NODES: value })).toThrow(/GODWIT_NODES/);
  });

  it('give a node no secret but the join key', () => {
    const env = nodeEnvironment(
      {
        GODWIT_API_SECRET: 's',
        GODWIT_ADMIN_TOKEN: 'a',
        GODWIT_API_KEY: 'k',
        GODWIT_STORAGE_KEY: 'sk',
        GODWIT_DATABASE_URL: 'postgres://user:password@host/name',
      },
      node,
    );
    expect(
      Object.keys(env)
        .filter((name) => name.startsWith('GODWIT_'))
        .sort(),
    ).toEqual(['GODWIT_CONTROL_URL', 'GODWIT_JOIN_KEY', 'GODWIT_LINK_ADDRESS', 'GODWIT_LOG_LEVEL']);
  });

  it('give a process nothing that it does not read', () => {
    const env = {
      GODWIT_NODES: '3',
      GODWIT_PROT: '1',
      GODWIT_TEST_PROBES: 'x',
      GODWIT_DEBUG: '1',
      PATH: '/bin',
    };
    expect(Object.keys(controlEnvironment(env, { joinKey: 'join' })).sort()).toEqual([
      'GODWIT_DEBUG',
      'GODWIT_JOIN_KEY',
      'GODWIT_LOG_LEVEL',
      'GODWIT_TEST_PROBES',
      'PATH',
    ]);
    expect(nodeEnvironment(env, node)).not.toHaveProperty('GODWIT_PROT');
  });

  it('give each node a free operations port', () => {
    expect(nodeEnvironment({ GODWIT_NODE_HTTP_PORT: '9000' }, node)).not.toHaveProperty(
      'GODWIT_NODE_HTTP_PORT',
    );
  });

  it('let the whole LAN reach control over HTTPS, and let nodes trust its certificate', () => {
    const lan = { address: '192.168.1.2', certificate: { certFile: 'cert.pem', keyFile: 'key.pem' } };
    expect(controlEnvironment({}, { joinKey: 'join' }, lan)).toMatchObject({
      GODWIT_HOST: '0.0.0.0',
      GODWIT_TLS_CERT_FILE: 'cert.pem',
      GODWIT_TLS_KEY_FILE: 'key.pem',
    });
    expect(nodeEnvironment({}, { ...node, lan })).toMatchObject({ NODE_EXTRA_CA_CERTS: 'cert.pem' });
  });
});

describe('the share of GODWIT_RTC_PORTS', () => {
  it('never gives one port to two nodes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 0, max: 100 }), (nodeCount, extra) => {
        const last = 40_000 + nodeCount - 1 + extra;
        const ports = Array.from({ length: nodeCount }, (_, index) => {
          const [from = 0, to = 0] = portShare(`40000-${last}`, index + 1, nodeCount)
            .split('-')
            .map(Number);
          return Array.from({ length: to - from + 1 }, (__, offset) => from + offset);
        }).flat();
        expect(new Set(ports).size).toBe(ports.length);
        expect(Math.max(...ports)).toBeLessThanOrEqual(last);
      }),
    );
  });

  it.each(['40000', '40000-40000', 'x'])('refuses %s for two nodes by name', (range) => {
    expect(() => portShare(range, 1, 2)).toThrow(/GODWIT_RTC_PORTS/);
  });
});
