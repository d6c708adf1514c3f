import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { migrate, openScene, sleep, totals, videosPlaying, type Scene } from './support/scene.js';

/** Of all datagrams of the namespace: media, feedback, checks, relays and the handover itself. */
const LOSS_PERCENT = 2;

const LOSS = [
  ['add', 'table', 'inet', 'loss'],
  ['add', 'chain', 'inet', 'loss', 'input', '{ type filter hook input priority 0 ; }'],
  [
    'add',
    'rule',
    'inet',
    'loss',
    'input',
    'meta',
    'l4proto',
    'udp',
    'numgen',
    'random',
    'mod',
    '100',
    '<',
    String(LOSS_PERCENT),
    'drop',
  ],
];

function nft({ network }: Scene, rule: readonly string[]): void {
  const [command = '', ...prefix] = network.prefix;
  execFileSync(command, [...prefix, 'nft', ...rule]);
}

describe('a call over a network that loses packets', () => {
  it('repairs by RTX in both directions, and moves', { timeout: 120_000 }, async () => {
    const scene = await openScene({ clients: 2 });
    try {
      expect(scene.network.isolated, 'needs a network namespace: run as root with iproute2').toBe(true);
      for (const rule of LOSS) nft(scene, rule);
      await sleep(5_000);
      const before = await totals(scene.pages);
      const statuses: string[] = [];
      for (let hop = 0; hop < 3; hop++) {
        statuses.push((await migrate(scene)).status);
        await sleep(2_000);
      }
      const after = await totals(scene.pages);
      const grown = (key: string): number => (after[key] ?? 0) - (before[key] ?? 0);
      expect(statuses).toEqual(['completed', 'completed', 'completed']);
      expect(grown('video.nackCount')).toBeGreaterThan(0);
      expect(grown('sent.retransmittedPacketsSent')).toBeGreaterThan(0);
      expect(grown('video.retransmittedPacketsReceived')).toBeGreaterThan(0);
      expect(await Promise.all(scene.pages.map((page) => videosPlaying(page)))).toEqual([1, 1]);
      process.stdout.write(
        `${LOSS_PERCENT} % loss, 3 moves: ${grown('video.nackCount')} NACKs, ` +
          `${grown('video.retransmittedPacketsReceived')} repaired, freezes ${grown('video.freezeCount')}, ` +
          `key frames ${grown('video.keyFramesDecoded')}\n`,
      );
    } finally {
      await scene.close();
    }
  });
});
