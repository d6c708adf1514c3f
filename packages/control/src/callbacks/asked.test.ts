import { openMemoryStorage } from '@godwit/storage';
import { expect, it } from 'vitest';
import { CALLBACK_POLL_MS } from '../limits.js';
import { Harness } from '../testing/harness.js';
import { askedEvents } from './asked.js';

const VISITS = 20;

it('notes that the storage asked, and hands on what it asked with', () => {
  const seen: string[] = [];
  const events = askedEvents((facts: string) => {
    seen.push(facts);
    return [];
  });
  expect(events.wereAsked()).toBe(false);
  events.eventsOf('the last one has left');
  expect(seen).toEqual(['the last one has left']);
  expect(events.wereAsked()).toBe(true);
});

it('looks for deliveries no oftener than in any case while people join, publish and leave and nobody wants to hear of it', async () => {
  const storage = await openMemoryStorage();
  let looks = 0;
  const jobs: typeof storage.jobs = {
    ...storage.jobs,
    claim: (claim) => {
      looks += 1;
      return storage.jobs.claim(claim);
    },
  };
  const harness = await Harness.start({ storage: { ...storage, jobs } });
  const node = await harness.node();
  const sessionId = await harness.session();
  looks = 0;
  const startMs = Date.now();
  for (let visit = 0; visit < VISITS; visit++) {
    const client = await harness.join(sessionId);
    const { streamId } = await harness.publish(client, node);
    await client.request('destroyStream', { streamId });
    await client.request('disconnect');
  }
  expect(looks).toBeLessThanOrEqual((Date.now() - startMs) / CALLBACK_POLL_MS + 2);
  node.stop();
  await harness.close();
}, 60_000);
