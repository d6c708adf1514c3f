import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openMemoryStorage } from '@godwit/storage';
import { Harness } from '../testing/harness.js';

let harness: Harness;

beforeAll(async () => {
  harness = await Harness.start({ storage: await openMemoryStorage() });
}, 60_000);
afterAll(() => harness.close());

describe('sessions in memory', () => {
  it('are one for all who join at once, and for who joins as the last one leaves', async () => {
    const sessionId = await harness.session();
    const [one, two] = await Promise.all([harness.join(sessionId), harness.join(sessionId)]);
    await one.request('signal', { data: 'hello' });
    expect(await two.event('signal')).toMatchObject({ data: 'hello' });
    const [third] = await Promise.all([
      harness.join(sessionId),
      one.request('disconnect'),
      two.request('disconnect'),
    ]);
    const fourth = await harness.join(sessionId);
    await third.request('signal', { data: 'still here' });
    expect(await fourth.event('signal')).toMatchObject({ data: 'still here' });
  });
});
