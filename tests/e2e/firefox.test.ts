import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestPage } from '@godwit/testing';
import { migrate, openScene, totals, type Scene } from './support/scene.js';

const MOVES = Number(process.env['GODWIT_E2E_MOVES'] ?? 4);

describe('a Firefox and a Chromium in one call that moves to and fro between two nodes', () => {
  let scene: Scene<TestPage>;

  beforeAll(async () => {
    scene = await openScene({ clients: 2, usesFirefox: (client) => client === 1 });
  }, 120_000);

  afterAll(async () => {
    await scene?.close();
  });

  it('has both at the target after each move, and both go on seeing each other', async () => {
    const { api, sessionId, pages } = scene;
    for (let move = 0; move < MOVES; move++) {
      const [from] = new Set((await api.owners(sessionId)).values());
      const migration = await migrate(scene);
      expect(migration.status, JSON.stringify(migration)).toBe('completed');
      const owners = new Set((await api.owners(sessionId)).values());
      expect(owners.size).toBe(1);
      expect(owners).not.toContain(from);
      const { 'video.framesDecoded': decoded = 0 } = await totals(pages);
      await expect
        .poll(async () => (await totals(pages))['video.framesDecoded'], { timeout: 10_000 })
        .toBeGreaterThan(decoded + 30);
    }
  });
});
