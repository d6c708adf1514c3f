import { newSessionRecord, type Json, type MigrationRecord, type TransportRecord } from '../records.js';
import type { RosterStorage, Storage } from '../storage.js';

/** What the suite needs of a test runner: vitest's `it` and `expect` fit. */
export interface ContractRunner {
  it(name: string, test: () => Promise<void>): void;
  equal(actual: unknown, expected: unknown): void;
}

export const NOW_MS = 1_700_000_000_000;
/** The project of every session of the suite. */
export const API_KEY = '100';
let counter = 0;
export const unique = (prefix: string): string => `${prefix}${(counter++).toString(16).padStart(8, '0')}`;

export async function newSession(storage: RosterStorage, demoName?: string): Promise<string> {
  if (isWhole(storage)) await ensureProject(storage);
  const sessionId = unique('1_session');
  const common = { sessionId, apiKey: API_KEY, createdAtMs: NOW_MS };
  await storage.sessions.create(newSessionRecord(demoName === undefined ? common : { ...common, demoName }));
  return sessionId;
}

export async function newTransport(storage: RosterStorage, ownerNodeId = 'node-a'): Promise<TransportRecord> {
  const sessionId = await newSession(storage);
  const connectionId = unique('connection');
  await storage.connections.create({
    connectionId,
    sessionId,
    data: 'name=Ada',
    role: 'publisher',
    sessionMigration: true,
    pathMethod: 'candidate',
    eventsSuppressed: false,
    layoutClasses: ['full', 'focus'],
    resumeTokenHash: 'hash',
    createdAtMs: NOW_MS,
    endedAtMs: null,
    endReason: null,
  });
  const transport: TransportRecord = {
    transportId: unique('00000000'),
    sessionId,
    connectionId,
    ownerNodeId,
    epoch: 1,
    epochHighest: 1,
    intent: null,
    lastIntent: null,
    connected: false,
    negotiated: { version: 1, sections: [{ mid: '0' }] } satisfies Json,
    createdAtMs: NOW_MS,
    endedAtMs: null,
  };
  await storage.transports.create(transport);
  return transport;
}

const isWhole = (storage: RosterStorage): storage is Storage => 'projects' in storage;

export async function ensureProject(storage: Storage, apiKey: string = API_KEY): Promise<void> {
  await storage.projects.ensure({ apiKey, name: 'contract', createdAtMs: NOW_MS, signatureSecret: null });
}

export const MOVE = {
  connectionId: 'c1',
  fromNodeId: 'node-a',
  toNodeId: 'node-b',
  outcome: null,
  failure: null,
  gap: null,
  measures: null,
  startedAtMs: NOW_MS,
  endedAtMs: null,
};

export const migrationOf = (sessionId: string): MigrationRecord => ({
  migrationId: unique('migration'),
  sessionId,
  status: 'pending',
  targetNodeId: 'node-b',
  rehearsal: false,
  moved: 0,
  total: 0,
  createdAtMs: NOW_MS,
  endedAtMs: null,
});
