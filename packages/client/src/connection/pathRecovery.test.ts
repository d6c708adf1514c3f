import { beforeEach, expect, it } from 'vitest';
import { ICE_DISCONNECTED_GRACE_MS, RESTART_ATTEMPTS_MAX } from '../limits.js';
import { FakePlatform } from '../testing/fakePlatform.js';
import { PathRecovery } from './pathRecovery.js';

let platform: FakePlatform;
let recovery: PathRecovery;
let seen: string[];

beforeEach(() => {
  platform = new FakePlatform();
  seen = [];
  recovery = new PathRecovery(platform, {
    requestRestart: () => Promise.resolve(seen.push('restart')),
    pathChanged: (connected) => seen.push(connected ? 'connected' : 'disconnected'),
    pathLost: () => seen.push('lost'),
  });
  recovery.stateChanged('connected');
});

it('asks for nothing when the path heals by itself', async () => {
  recovery.stateChanged('disconnected');
  await platform.advance(ICE_DISCONNECTED_GRACE_MS - 1);
  recovery.stateChanged('connected');
  await platform.advance(60_000);
  expect(seen).toEqual(['disconnected', 'connected']);
});

it('asks for a restart at once when the path failed, and stops when it is back', async () => {
  recovery.stateChanged('failed');
  await platform.advance(0);
  recovery.stateChanged('completed');
  await platform.advance(60_000);
  expect(seen).toEqual(['disconnected', 'restart', 'connected']);
});

it('gives up after a bounded number of restarts', async () => {
  recovery.stateChanged('failed');
  await platform.advance(10 * 60_000);
  expect(seen.filter((what) => what === 'restart')).toHaveLength(RESTART_ATTEMPTS_MAX);
  expect(seen.filter((what) => what === 'lost')).toHaveLength(1);
});

it('does nothing on a network change while the path is healthy', async () => {
  recovery.networkChanged('connected');
  await platform.advance(60_000);
  expect(seen).toEqual([]);
});

it('takes silence for a broken path before ICE does, and what comes again for a healed one', async () => {
  recovery.silent();
  await platform.advance(0);
  recovery.heard();
  await platform.advance(60_000);
  expect(seen).toEqual(['disconnected', 'restart', 'connected']);
});

it('is quiet once closed', async () => {
  recovery.stateChanged('failed');
  recovery.close();
  await platform.advance(60_000);
  expect(seen).toEqual(['disconnected']);
});
