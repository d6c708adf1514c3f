import { expect, it } from 'vitest';
import { newSessionRecord } from './records.js';

const KNOWN = { sessionId: '1_a', apiKey: '100', createdAtMs: 5 };

it('is a session on no node that was never moved nor muted', () => {
  expect(newSessionRecord(KNOWN)).toEqual({
    ...KNOWN,
    location: '',
    demo: false,
    demoName: null,
    homeNodeId: null,
    lastMigrationEndedAtMs: null,
    muteForced: false,
  });
  expect(newSessionRecord({ ...KNOWN, location: '192.0.2.1' }).location).toBe('192.0.2.1');
});

it('is of the demo page when it has a demo name', () => {
  expect(newSessionRecord({ ...KNOWN, demoName: '100/demo' })).toMatchObject({
    demo: true,
    demoName: '100/demo',
  });
});
