import { describe, expect, it } from 'vitest';
import { migrate, openScene, sleep, totals, videosPlaying } from './support/scene.js';

const HOPS = 50;
const POOL = 4;

describe('a call that hops further than its addresses reach', () => {
  it(
    `survives ${HOPS} hops on a pool of ${POOL} addresses a node: the ICE restart takes over`,
    { timeout: 400_000 },
    async () => {
      const scene = await openScene({
        clients: 2,
        // One family only, so that the pool is exactly the ports of one address.
        platform: { nodeEnv: { GODWIT_ANNOUNCED_ADDRESSES: '10.77.0.2' } },
      });
      try {
        expect(scene.network.isolated, 'needs a network namespace: run as root with iproute2').toBe(true);
        await sleep(2_000);
        const before = await totals(scene.pages);
        const fragments = new Set<unknown>();
        const statuses: string[] = [];
        for (let hop = 0; hop < HOPS; hop++) {
          statuses.push((await migrate(scene)).status);
          fragments.add(await scene.pages[0]?.page.evaluate(() => window.call.iceFragment()));
        }
        expect(statuses).toEqual(statuses.map(() => 'completed'));
        // A generation lasts at most as many hops as both nodes have addresses.
        expect(fragments.size).toBeGreaterThanOrEqual(Math.floor(HOPS / (POOL * 2)));
        await sleep(1_500);
        expect(await Promise.all(scene.pages.map((page) => videosPlaying(page)))).toEqual([1, 1]);
        const after = await totals(scene.pages);
        const grown = (key: string): number => (after[key] ?? 0) - (before[key] ?? 0);
        process.stdout.write(
          `${HOPS} hops, ${fragments.size} ICE generations: lost ${grown('audio.packetsLost') + grown('video.packetsLost')}, ` +
            `freezes ${grown('video.freezeCount')}, key frames ${grown('video.keyFramesDecoded')}\n`,
        );
        expect(grown('audio.packetsLost') + grown('video.packetsLost')).toBe(0);
      } finally {
        await scene.close();
      }
    },
  );
});
