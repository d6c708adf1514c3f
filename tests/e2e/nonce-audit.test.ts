import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { auditNonces } from '@godwit/testing';
import { Capture, fromServers } from './support/environment.js';
import { migrate, openScene, sleep } from './support/scene.js';

const BROKEN = ['--import', fileURLToPath(new URL('./support/broken-handover.mjs', import.meta.url))];

/** One move between two clients, audited from what was captured on the wire. */
async function auditOneMove(nodeArguments: Record<number, readonly string[]>) {
  const scene = await openScene({ clients: 2, platform: { nodeArguments } });
  try {
    const capture = new Capture(scene.network);
    await capture.ready();
    await sleep(3_000);
    const migration = await migrate(scene);
    await sleep(4_000);
    const { datagrams } = await capture.finish();
    return { migration, audit: auditNonces(fromServers(datagrams), () => 'any') };
  } finally {
    await scene.close();
  }
}

describe('the nonce audit', () => {
  it(
    'is silent over a sound handover and finds a node that uses indices of its predecessor again',
    { timeout: 180_000 },
    async () => {
      const sound = await auditOneMove({});
      expect(sound.migration.status).toBe('completed');
      expect(sound.audit.packets).toBeGreaterThan(1_000);
      expect(sound.audit.violations).toEqual([]);
      const broken = await auditOneMove({ 0: BROKEN, 1: BROKEN });
      expect(broken.migration.status).toBe('completed');
      expect(broken.audit.violations.length).toBeGreaterThan(0);
      expect(broken.audit.violations.every((name) => name.includes('srtcp'))).toBe(true);
    },
  );
});
