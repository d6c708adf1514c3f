import { expect, test } from 'vitest';
import { NAME_CHARS_MAX } from '../limits.js';
import { birdName, inviteUrl, isLoopbackHost, parsePageOptions } from './names.js';

test('two people of one window never share a name', () => {
  for (let step = 0; step < 10; step += 1) {
    const first = birdName(step / 10, null);
    for (let other = 0; other < 10; other += 1) expect(birdName(other / 10, first)).not.toBe(first);
  }
});

test('the address says which session, which name, and whether a camera is wanted', () => {
  expect(parsePageOptions('?session=tea&name=Ada&source=test')).toEqual({
    session: 'tea',
    name: 'Ada',
    testPicture: true,
  });
  expect(parsePageOptions('?name=%20')).toEqual({ session: null, name: null, testPicture: false });
  expect(parsePageOptions(`?name=${'x'.repeat(500)}`).name).toHaveLength(NAME_CHARS_MAX);
});

test('an invitation carries the session and nothing personal', () => {
  expect(inviteUrl('http://h:4600/demo/?name=Ada&source=test#x', 'tea time')).toBe(
    'http://h:4600/demo/?session=tea+time',
  );
  expect(inviteUrl('http://h:4600/demo/?session=old', null)).toBe('http://h:4600/demo/');
});

test('a link to this computer is known to be useless elsewhere', () => {
  expect(['localhost', '127.0.0.1', '[::1]'].every(isLoopbackHost)).toBe(true);
  expect(['192.168.1.4', 'godwit.example', '10.127.0.1'].some(isLoopbackHost)).toBe(false);
});
