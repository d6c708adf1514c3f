import { expect, it } from 'vitest';
import { SecretBox } from './secret-box.js';

const box = new SecretBox('the storage key of this installation');

it('gives back what was sealed, to the same key and owner only', () => {
  const sealed = box.seal('s3cret é', 'project-1');
  expect(sealed).not.toContain('s3cret');
  expect(box.open(sealed, 'project-1')).toBe('s3cret é');
  expect(box.open(sealed, 'project-2')).toBe(null);
  expect(new SecretBox('another key').open(sealed, 'project-1')).toBe(null);
});

it('seals the same secret differently each time, and opens nothing that was changed', () => {
  const sealed = box.seal('secret', 'p');
  expect(box.seal('secret', 'p')).not.toBe(sealed);
  for (const damaged of [
    '',
    'secret',
    'v1.',
    'v1.AAAA',
    `${sealed.slice(0, -2)}AA`,
    sealed.replace('v1', 'v2'),
  ])
    expect(box.open(damaged, 'p')).toBe(null);
});
