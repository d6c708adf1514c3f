import type { KeyObject } from 'node:crypto';

/** API keys of projects, and ids of applications. */
export const PROJECT_ID = /^[A-Za-z0-9-]{1,64}$/;
export const PROJECT_ID_RULE = 'must be 1 to 64 letters, digits or hyphens';
/** What PROJECT_ID allows. */
export const PROJECT_ID_CHARS_MAX = 64;

/** A project with everything by which its tokens are checked. Never logged. */
export interface Project {
  /** The API key, or the id of the application. */
  readonly apiKey: string;
  readonly name: string;
  readonly createdAtMs: number;
  /** Valid secrets, oldest first: any of them signs. */
  readonly secrets: readonly string[];
  /** Valid public keys (RS256), oldest first. */
  readonly publicKeys: readonly KeyObject[];
  /** With what its callbacks are signed; null: with the newest secret. */
  readonly signatureSecret: string | null;
}

/** Finds projects. What it answers may be PROJECT_CACHE_MS old. */
export interface ProjectDirectory {
  /** Null when there is none of that key. */
  find(apiKey: string): Promise<Project | null>;
}
