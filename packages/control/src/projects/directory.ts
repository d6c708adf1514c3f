import { createPublicKey } from 'node:crypto';
import type { Logger } from 'pino';
import type { ProjectDetails, ProjectRepository } from '@godwit/storage';
import { PROJECTS_CACHED_MAX, PROJECT_CACHE_MS } from '../limits.js';
import { PROJECT_ID, type Project, type ProjectDirectory } from './project.js';
import type { SecretBox } from './secret-box.js';

interface Entry {
  readonly project: Promise<Project | null>;
  readonly readAtMs: number;
}

export interface StoredProjectsOptions {
  readonly projects: Pick<ProjectRepository, 'get'>;
  readonly box: SecretBox;
  readonly log: Logger;
  readonly clockMs: () => number;
}

/**
 * Projects out of the storage, kept for PROJECT_CACHE_MS: a token is checked without asking the database each time, and a
 * secret that was revoked elsewhere is refused soon.
 */
export class StoredProjects implements ProjectDirectory {
  readonly #options: StoredProjectsOptions;
  /** In the order of reading: the first is the oldest. */
  readonly #entries = new Map<string, Entry>();

  constructor(options: StoredProjectsOptions) {
    this.#options = options;
  }

  find(apiKey: string): Promise<Project | null> {
    // Whatever a caller claims to be: what cannot be an id is not looked for.
    if (!PROJECT_ID.test(apiKey)) return Promise.resolve(null);
    const nowMs = this.#options.clockMs();
    const known = this.#entries.get(apiKey);
    if (known !== undefined && nowMs - known.readAtMs < PROJECT_CACHE_MS) return known.project;
    const project = this.#read(apiKey);
    this.#entries.delete(apiKey);
    this.#entries.set(apiKey, { project, readAtMs: nowMs });
    this.#bound();
    // What could not be read is not remembered, and who asks gets the error.
    project.catch(() => this.forget(apiKey));
    return project;
  }

  /** It has been changed here. */
  forget(apiKey: string): void {
    this.#entries.delete(apiKey);
  }

  async #read(apiKey: string): Promise<Project | null> {
    const details = await this.#options.projects.get(apiKey);
    return details === null ? null : this.#open(details);
  }

  #open({ apiKey, name, createdAtMs, signatureSecret, credentials }: ProjectDetails): Project {
    const { box } = this.#options;
    const materials = (kind: 'secret' | 'key'): string[] =>
      credentials.filter((credential) => credential.kind === kind).map(({ material }) => material);
    const secrets = materials('secret').map((sealed) => box.open(sealed, apiKey));
    if (secrets.includes(null))
      this.#options.log.error({ apiKey }, 'a secret was sealed with another storage key');
    return {
      apiKey,
      name,
      createdAtMs,
      secrets: secrets.filter((secret) => secret !== null),
      publicKeys: materials('key').map((pem) => createPublicKey(pem)),
      signatureSecret: signatureSecret === null ? null : box.open(signatureSecret, apiKey),
    };
  }

  #bound(): void {
    for (const apiKey of this.#entries.keys()) {
      if (this.#entries.size <= PROJECTS_CACHED_MAX) return;
      this.#entries.delete(apiKey);
    }
  }
}
