import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { StepFolder } from './faults/step-folder.js';
import { everybodySees, openScene, sleep, totals, type Scene } from './support/scene.js';

let scene: Scene | null = null;
let folder = '';
afterEach(async () => {
  await scene?.close();
  scene = null;
  rmSync(folder, { recursive: true, force: true });
});

/** Two people in Chromium on one node; moves can be stopped at a step. */
async function callOfTwo(): Promise<{ call: Scene; steps: StepFolder; holder: string; pid: number }> {
  folder = mkdtempSync(join(tmpdir(), 'godwit-steps-'));
  const steps = new StepFolder(folder);
  scene = await openScene({ clients: 2, platform: { env: steps.env, nodeEnv: steps.env } });
  await sleep(3_000);
  const [holder = ''] = (await scene.api.owners(scene.sessionId)).values();
  const pid = (await scene.api.nodes()).find(({ id }) => id === holder)?.pid ?? 0;
  return { call: scene, steps, holder, pid };
}

const eventNames = (call: Scene): Promise<string[][]> =>
  Promise.all(call.pages.map(({ page }) => page.evaluate(() => window.call.events.map(({ name }) => name))));

/** Connection and stream ids, as the roster has them. */
async function ids(call: Scene): Promise<string[]> {
  const { connections, streams } = await call.api.session(call.sessionId);
  return [
    ...connections.map(({ connectionId }) => connectionId),
    ...streams.map(({ streamId }) => streamId),
  ].sort();
}

describe('a call in Chromium whose media server is killed', () => {
  it(
    'goes on over the other one by itself, with its connections and streams',
    { timeout: 120_000 },
    async () => {
      const { call, holder, pid } = await callOfTwo();
      const before = await ids(call);
      process.kill(pid, 'SIGKILL');
      await expect
        .poll(async () => (await eventNames(call)).every((names) => names.includes('transportReplaced')), {
          timeout: 40_000,
          interval: 200,
        })
        .toBe(true);
      await sleep(1_500);
      await everybodySees(call);
      for (const names of await eventNames(call)) {
        const heard = names.filter((name) => name !== 'streamCreated' && name !== 'streamPropertyChanged');
        expect(heard).toEqual(['sessionReconnecting', 'sessionReconnected', 'transportReplaced']);
      }
      expect(await ids(call)).toEqual(before);
      expect([...(await call.api.owners(call.sessionId)).values()]).not.toContain(holder);
      const losses = await Promise.all(
        call.pages.map(({ page }) => page.evaluate(() => window.call.losses.map(({ silentMs }) => silentMs))),
      );
      process.stdout.write(`nothing came for ${losses.flat().map(Math.round).join(' and ')} ms\n`);
    },
  );

  it('keeps the one who neither sends nor receives just then', { timeout: 120_000 }, async () => {
    const { call, holder, pid } = await callOfTwo();
    const idler = call.pages[1]?.page;
    await idler?.evaluate(() => {
      window.call.unpublish();
      window.call.hideAll();
    });
    await sleep(3_000);
    const before = await ids(call);
    process.kill(pid, 'SIGKILL');
    await expect
      .poll(async () => (await eventNames(call)).every((names) => names.includes('transportReplaced')), {
        timeout: 60_000,
        interval: 200,
      })
      .toBe(true);
    expect(await ids(call)).toEqual(before);
    expect([...(await call.api.owners(call.sessionId)).values()]).not.toContain(holder);
    await idler?.evaluate(async () => {
      window.call.showAgain();
      await window.call.publish({ resolution: '320x180', frameRate: 30 });
    });
    await everybodySees(call);
  });

  it(
    'does not even notice when its state has left for the other one',
    { timeout: 120_000, retry: 2 },
    async () => {
      const { call, steps, holder, pid } = await callOfTwo();
      steps.arm('transfer sent');
      const answer = await call.api.migrate(call.sessionId);
      const targetPid = await steps.reached('transfer sent');
      process.kill(pid, 'SIGKILL');
      process.kill(targetPid, 'SIGCONT');
      await call.api.migrated(call.sessionId, String(answer.body['id']));
      // One at least had left; whoever had not comes again by himself, once he has noticed.
      const owners = async (): Promise<string[]> => [...(await call.api.owners(call.sessionId)).values()];
      await expect.poll(owners, { timeout: 30_000, interval: 100 }).not.toContain(holder);
      await everybodySees(call);
      const kept = (await eventNames(call)).filter((names) => !names.includes('transportReplaced'));
      expect(kept.length).toBeGreaterThan(0);
    },
  );
});

describe('a call in Chromium whose control is killed in the middle of its move', () => {
  it('loses nothing, and has moved or stayed when control is back', { timeout: 120_000 }, async () => {
    const { call, steps } = await callOfTwo();
    const before = await totals(call.pages);
    steps.arm('path proven');
    await call.api.migrate(call.sessionId);
    const sourcePid = await steps.reached('path proven');
    call.platform.control.kill('SIGKILL');
    process.kill(sourcePid, 'SIGCONT');
    await sleep(2_000);
    await everybodySees(call);
    call.platform.startControl();
    await expect
      .poll(async () => (await eventNames(call)).every((names) => names.includes('sessionReconnected')), {
        timeout: 40_000,
        interval: 200,
      })
      .toBe(true);
    await everybodySees(call);
    const after = await totals(call.pages);
    for (const key of ['audio.packetsLost', 'video.packetsLost'])
      expect((after[key] ?? 0) - (before[key] ?? 0), key).toBe(0);
    const owners = await call.api.owners(call.sessionId);
    const known = new Set((await call.api.nodes()).map(({ id }) => id));
    expect([...owners.values()].every((owner) => known.has(owner))).toBe(true);
  });
});
