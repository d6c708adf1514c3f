import { describe, expect, it } from 'vitest';
import { migrate, openScene, sleep, totals, videosPlaying } from './support/scene.js';

describe('a client without sessionMigration', () => {
  it(
    'gets sessionDestroyed, then one sessionDisconnected; the others are undisturbed',
    { timeout: 120_000 },
    async () => {
      const scene = await openScene({ clients: 3, migrates: (client) => client !== 2 });
      try {
        await sleep(2_000);
        const staying = scene.pages.slice(0, 2);
        const leaving = scene.pages[2];
        const before = await totals(staying);
        const migration = await migrate(scene);
        await sleep(3_000);
        const events = (await leaving?.page.evaluate(() => window.call.events)) ?? [];
        const ends = events.filter(
          ({ name }) => name === 'sessionDestroyed' || name === 'sessionDisconnected',
        );
        expect(ends.map(({ name, detail }) => ({ name, reason: detail['reason'] }))).toEqual([
          { name: 'sessionDestroyed', reason: 'serverRotation' },
          { name: 'sessionDisconnected', reason: 'serverRotation' },
        ]);
        expect(migration.status).toBe('completed');
        const after = await totals(staying);
        for (const key of ['audio.packetsLost', 'video.packetsLost', 'video.freezeCount']) {
          // The leaver's stream is gone from the sums, which can only make them smaller.
          expect((after[key] ?? 0) - (before[key] ?? 0), key).toBeLessThanOrEqual(0);
        }
        expect(await Promise.all(staying.map((page) => videosPlaying(page)))).toEqual([1, 1]);
        for (const { page } of staying) {
          const seen = await page.evaluate(() => window.call.events.map(({ name }) => name));
          expect(seen.filter((name) => name === 'connectionDestroyed')).toHaveLength(1);
          expect(seen).not.toContain('sessionDisconnected');
          expect(seen).not.toContain('sessionReconnecting');
        }
        const owners = await scene.api.owners(scene.sessionId);
        expect([...owners.keys()].sort()).toEqual(
          scene.joined
            .slice(0, 2)
            .map(({ connectionId }) => connectionId)
            .sort(),
        );
      } finally {
        await scene.close();
      }
    },
  );
});
