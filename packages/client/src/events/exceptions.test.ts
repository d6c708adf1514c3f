import { afterEach, describe, expect, it, vi } from 'vitest';
import { otError } from '../errors.js';
import { OT } from '../ot.js';
import { settle } from '../testing/fakePlatform.js';
import { complete } from './completion.js';
import type { ExceptionEvent } from './exceptions.js';
import { withPromise } from './withPromise.js';

const heard: ExceptionEvent[] = [];
const listener = (event: ExceptionEvent): unknown => heard.push(event);

afterEach(() => {
  OT.off('exception');
  heard.length = 0;
});

describe('exceptions', () => {
  it('tell what a callback got, also when there is no callback', async () => {
    OT.on('exception', listener);
    complete(Promise.reject(otError('OT_NOT_CONNECTED')), undefined, 'OT_INTERNAL_ERROR');
    complete(Promise.reject(new Error('odd')), () => undefined, 'OT_INTERNAL_ERROR');
    await settle();
    expect(heard).toMatchObject([
      { type: 'exception', code: 1010, title: 'OT_NOT_CONNECTED', message: 'The session is not connected.' },
      { code: 2000, title: 'OT_INTERNAL_ERROR', message: 'odd' },
    ]);
  });

  it('tell what a promise failed with, which still fails', async () => {
    OT.on('exception', listener);
    const error = otError('OT_TIMEOUT');
    const method = withPromise(vi.fn(), (value: number) => Promise.reject(value === 1 ? error : new Error()));
    await expect(method.promise(1)).rejects.toBe(error);
    expect(heard.map(({ title }) => title)).toEqual(['OT_TIMEOUT']);
  });

  it('tell one error once, however often the page gets it', async () => {
    OT.on('exception', listener);
    const error = otError('OT_USER_MEDIA_ACCESS_DENIED');
    for (const _each of ['initPublisher', 'publish']) {
      complete(Promise.reject(error), undefined, 'OT_INTERNAL_ERROR');
    }
    await settle();
    expect(heard).toHaveLength(1);
  });

  it('are heard once by `once` and not after `off`', async () => {
    OT.once('exception', listener);
    complete(Promise.reject(otError('OT_TIMEOUT')), undefined, 'OT_INTERNAL_ERROR');
    complete(Promise.reject(otError('OT_TIMEOUT')), undefined, 'OT_INTERNAL_ERROR');
    await settle();
    OT.on('exception', listener);
    OT.off('exception', listener);
    complete(Promise.reject(otError('OT_TIMEOUT')), undefined, 'OT_INTERNAL_ERROR');
    await settle();
    expect(heard).toHaveLength(1);
  });
});
