import { beforeEach, expect, it } from 'vitest';
import { otError } from '../errors.js';
import { settle } from '../testing/fakePlatform.js';
import { Moderation } from './moderation.js';
import type { Stream } from './stream.js';

const stream = { streamId: '1' } as Stream;
const connection = { connectionId: 'a', creationTime: 1, data: '' };

let asked: unknown[];
let moderation: Moderation;
beforeEach(() => {
  asked = [];
  moderation = new Moderation((type, body) => {
    asked.push([type, body]);
    return Promise.resolve();
  });
});

it('connections and streams are named by object or by id', async () => {
  moderation.disconnect(connection, undefined);
  moderation.disconnect('b', undefined);
  moderation.unpublish(stream, undefined);
  moderation.unpublish('2', undefined);
  await moderation.muteStream(stream);
  await moderation.muteAll([stream, '2']);
  await moderation.disableMute();
  expect(asked).toEqual([
    ['forceDisconnect', { connectionId: 'a' }],
    ['forceDisconnect', { connectionId: 'b' }],
    ['forceUnpublish', { streamId: '1' }],
    ['forceUnpublish', { streamId: '2' }],
    ['forceMuteStream', { streamId: '1' }],
    ['forceMuteAll', { excludedStreamIds: ['1', '2'] }],
    ['disableForceMute', {}],
  ]);
});

it('a refusal reaches the callback or the promise', async () => {
  moderation = new Moderation(() => Promise.reject(otError('OT_NOT_CONNECTED')));
  const errors: unknown[] = [];
  moderation.disconnect('a', (error) => errors.push(error?.code));
  moderation.unpublish('1', (error) => errors.push(error?.code));
  await settle();
  expect(errors).toEqual([1010, 1010]);
  await expect(moderation.muteAll([])).rejects.toMatchObject({ code: 1010 });
});
