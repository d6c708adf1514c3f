import { PGlite } from '@electric-sql/pglite';
import { sessionOf, type PGliteSession } from './session.js';

/** A database in this process's memory, gone when it is closed: for tests. */
export async function openMemorySession(): Promise<PGliteSession> {
  return sessionOf(await PGlite.create());
}
