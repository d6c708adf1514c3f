import { describe, expect, it } from 'vitest';
import type { SignallingReply } from '@godwit/protocol';
import { SIGNALLING_REPLIES_KEPT_CHARS_MAX, SIGNALLING_REPLIES_KEPT_MAX } from '../limits.js';
import { AnsweredRequests } from './answered-requests.js';

/** Counts how often each id is worked on. */
function setup(): { ask: (id: number, result?: unknown) => Promise<SignallingReply>; runs: number[] } {
  const requests = new AnsweredRequests();
  const runs: number[] = [];
  const ask = (id: number, result: unknown = {}): Promise<SignallingReply> => {
    const work = (): Promise<SignallingReply> => {
      runs.push(id);
      return Promise.resolve({ replyTo: id, ok: true, result });
    };
    return requests.once(id, 'signal', work) ?? Promise.reject(new Error('another type'));
  };
  return { ask, runs };
}

describe('requests that come again', () => {
  it('are done once, also while the first is in work, and get the same reply', async () => {
    const requests = new AnsweredRequests();
    let finish: (reply: SignallingReply) => void = () => undefined;
    const reply: SignallingReply = { replyTo: 1, ok: true, result: 'once' };
    const first = requests.once(1, 'signal', () => new Promise((resolve) => (finish = resolve)));
    const again = requests.once(1, 'signal', () => Promise.reject(new Error('done twice')));
    finish(reply);
    expect(await Promise.all([first, again])).toEqual([reply, reply]);
    expect(requests.once(1, 'offer', () => Promise.reject(new Error('done twice')))).toBeNull();
  });

  it('are remembered as many as a client may have unanswered, and no more', async () => {
    const { ask, runs } = setup();
    for (let id = 0; id <= SIGNALLING_REPLIES_KEPT_MAX; id++) await ask(id);
    await ask(1);
    expect(runs.filter((id) => id === 1)).toHaveLength(1);
    await ask(0);
    expect(runs.filter((id) => id === 0)).toHaveLength(2);
  });

  it('are forgotten earlier when their replies are large', async () => {
    const { ask, runs } = setup();
    const large = 'x'.repeat(SIGNALLING_REPLIES_KEPT_CHARS_MAX / 2);
    for (const id of [1, 2, 3]) await ask(id, large);
    await ask(3);
    await ask(1);
    expect(runs).toEqual([1, 2, 3, 1]);
  });
});
