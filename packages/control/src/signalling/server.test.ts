import { expect, it, vi } from 'vitest';
import { SIGNALLING_UNIDENTIFIED_MAX } from '../limits.js';
import { FakeClient } from '../testing/fake-client.js';
import { Harness } from '../testing/harness.js';
import { ClientLink } from './client-link.js';

/** At once, a few at a time: the listener's own queue is short. */
async function openMany(url: string, count: number): Promise<FakeClient[]> {
  const clients: FakeClient[] = [];
  while (clients.length < count) {
    const some = Math.min(50, count - clients.length);
    clients.push(...(await Promise.all(Array.from({ length: some }, () => FakeClient.open(url)))));
  }
  return clients;
}

it('takes in so many who have not said who they are, and looks at none of them for each one more', async () => {
  const harness = await Harness.start();
  // Its clock stands still: on a slow machine the first would be let go before the last has come.
  const startMs = Date.now();
  Object.defineProperty(harness.clock, 'offsetMs', { get: () => startMs - Date.now() });
  const looks = vi.spyOn(ClientLink.prototype, 'identified', 'get');
  const sessionId = await harness.session();
  // They have said it.
  const joined = [await harness.join(sessionId), await harness.join(sessionId)];
  const silent = await openMany(harness.url, SIGNALLING_UNIDENTIFIED_MAX);
  // Each tick looks at all; a walk for each socket would be half a million.
  expect(looks.mock.calls.length).toBeLessThan(SIGNALLING_UNIDENTIFIED_MAX ** 2 / 4);
  await expect(FakeClient.open(harness.url)).rejects.toThrow('503');
  // One who leaves, and one who is refused and stays, make room for one.
  const [first, second] = silent;
  await expect(second?.request('ping')).rejects.toMatchObject({ name: 'OT_NOT_CONNECTED' });
  first?.drop();
  await expect
    .poll(() =>
      FakeClient.open(harness.url).then(
        () => 'taken',
        () => 'refused',
      ),
    )
    .toBe('taken');
  await expect(FakeClient.open(harness.url)).rejects.toThrow('503');
  await joined[0]?.request('disconnect');
  await expect(FakeClient.open(harness.url)).rejects.toThrow('503');
  await harness.close();
}, 60_000);
