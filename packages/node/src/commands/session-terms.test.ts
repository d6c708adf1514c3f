import { expect, it } from 'vitest';
import { SESSION_TERMS_MAX } from '../limits.js';
import { SessionTerms } from './session-terms.js';

it('refuses what an earlier term says once a later one has spoken, session by session', () => {
  const terms = new SessionTerms();
  expect(terms.accept({ sessionId: 'a', term: 2 })).toBe(true);
  expect(terms.accept({ sessionId: 'b', term: 1 })).toBe(true);
  expect(terms.accept({ sessionId: 'a', term: 1 })).toBe(false);
  expect(terms.accept({ sessionId: 'a', term: 2 })).toBe(true);
  expect(terms.accept({ sessionId: 'a', term: 3 })).toBe(true);
});

it('remembers a bounded number of sessions, those spoken for last', () => {
  const terms = new SessionTerms();
  terms.accept({ sessionId: 'kept', term: 9 });
  for (let number = 1; number < SESSION_TERMS_MAX; number++)
    terms.accept({ sessionId: String(number), term: 9 });
  terms.accept({ sessionId: 'kept', term: 9 });
  terms.accept({ sessionId: 'one more', term: 9 });
  expect(terms.accept({ sessionId: 'kept', term: 1 })).toBe(false);
  expect(terms.accept({ sessionId: '1', term: 1 })).toBe(true);
});
