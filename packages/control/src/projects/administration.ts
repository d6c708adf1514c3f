import { createPublicKey, randomBytes, randomUUID } from 'node:crypto';
import type { AuditEntry, CallbackReceiver, ProjectDetails, Storage } from '@godwit/storage';
import { PROJECT_CREDENTIALS_MAX } from '@godwit/storage';
import { ControlError } from '../errors.js';
import { PROJECT_KEY_BITS_MIN } from '../limits.js';
import type { StoredProjects } from './directory.js';
import type { SecretBox } from './secret-box.js';

export interface ProjectAdministrationOptions {
  readonly storage: Pick<Storage, 'projects' | 'callbacks'>;
  readonly directory: Pick<StoredProjects, 'forget'>;
  readonly box: SecretBox;
  readonly clockMs: () => number;
}

export interface NewProject {
  readonly id?: string | undefined;
  readonly name: string;
  /** SPKI or PKCS #1, PEM: the project signs with the private half. Without one it gets a secret. */
  readonly publicKey?: string | undefined;
}

/** A secret in plain text: told once, to whoever made it. */
export interface MadeSecret {
  readonly id: string;
  readonly secret: string;
}

/** What administrators do to projects. Everything is written with its line of the audit. Throws ControlErrors. */
export class ProjectAdministration {
  readonly #options: ProjectAdministrationOptions;

  constructor(options: ProjectAdministrationOptions) {
    this.#options = options;
  }

  async create({ id, name, publicKey }: NewProject): Promise<{ apiKey: string; secret: MadeSecret | null }> {
    const { storage, box, directory, clockMs } = this.#options;
    const key = publicKey === undefined ? null : readPublicKey(publicKey);
    const apiKey = id ?? randomUUID();
    const createdAtMs = clockMs();
    const secret = newSecret();
    const signsWith =
      key === null
        ? ({ kind: 'secret', material: box.seal(secret, apiKey) } as const)
        : ({ kind: 'key', material: key } as const);
    const credentialId = randomUUID();
    const isNew = await storage.projects.create(
      { apiKey, name, createdAtMs, signatureSecret: null },
      { credentialId, createdAtMs, ...signsWith },
      [
        this.#audit('project.created', apiKey, { name }),
        this.#audit(`project.${signsWith.kind}.added`, apiKey, { credentialId }),
      ],
    );
    // It may have been asked for before it was there.
    directory.forget(apiKey);
    if (!isNew) throw new ControlError('projectExists', 'There is a project of that id.');
    return { apiKey, secret: key === null ? { id: credentialId, secret } : null };
  }

  async get(apiKey: string): Promise<{ project: ProjectDetails; receivers: CallbackReceiver[] }> {
    const { projects, callbacks } = this.#options.storage;
    const project = await projects.get(apiKey);
    if (project === null) throw unknownProject();
    return { project, receivers: await callbacks.list(apiKey) };
  }

  /** Null takes the signature secret away: callbacks are signed with the newest secret again. */
  async update(
    apiKey: string,
    {
      name,
      signatureSecret,
    }: { readonly name?: string | undefined; readonly signatureSecret?: string | null | undefined },
  ): Promise<void> {
    const { storage, box, directory } = this.#options;
    const changes = {
      ...(name === undefined ? {} : { name }),
      ...(signatureSecret === undefined
        ? {}
        : { signatureSecret: signatureSecret === null ? null : box.seal(signatureSecret, apiKey) }),
    };
    const audit = this.#audit('project.changed', apiKey, { changed: Object.keys(changes) });
    if (!(await storage.projects.update(apiKey, changes, audit))) throw unknownProject();
    directory.forget(apiKey);
  }

  /** The address that hears of everything in the project's sessions; null takes it away. */
  async setSessionReceiver(apiKey: string, url: string | null): Promise<void> {
    const { callbacks } = this.#options.storage;
    const callbackId = `${apiKey}.session`;
    const audit = this.#audit('project.receiver.changed', apiKey, { isSet: url !== null });
    if (url === null) {
      await callbacks.remove(apiKey, callbackId, audit);
      return;
    }
    await callbacks.put(
      {
        callbackId,
        apiKey,
        group: 'session',
        event: 'all',
        url,
        createdAtMs: this.#options.clockMs(),
      },
      audit,
    );
  }

  async addSecret(apiKey: string): Promise<MadeSecret> {
    const secret = newSecret();
    const id = await this.#addCredential(apiKey, 'secret', this.#options.box.seal(secret, apiKey));
    return { id, secret };
  }

  addKey(apiKey: string, publicKey: string): Promise<string> {
    return this.#addCredential(apiKey, 'key', readPublicKey(publicKey));
  }

  async revoke(apiKey: string, credentialId: string): Promise<void> {
    const { storage, directory } = this.#options;
    const audit = this.#audit('project.credential.revoked', apiKey, { credentialId });
    const outcome = await storage.projects.revokeCredential(apiKey, credentialId, audit);
    directory.forget(apiKey);
    if (outcome === 'last')
      throw new ControlError('lastCredential', 'It is the last one of its project: add another one first.');
    if (outcome === 'unknown')
      throw new ControlError('credentialNotFound', 'The project has no valid secret or key of that id.');
  }

  async #addCredential(apiKey: string, kind: 'secret' | 'key', material: string): Promise<string> {
    const { storage, directory, clockMs } = this.#options;
    const credentialId = randomUUID();
    const outcome = await storage.projects.addCredential(
      apiKey,
      { credentialId, kind, material, createdAtMs: clockMs() },
      this.#audit(`project.${kind}.added`, apiKey, { credentialId }),
    );
    directory.forget(apiKey);
    if (outcome === 'no-project') throw unknownProject();
    if (outcome === 'full')
      throw new ControlError(
        'credentialLimit',
        `${PROJECT_CREDENTIALS_MAX} of a kind are valid at once: revoke one that is not used any more.`,
      );
    return credentialId;
  }

  #audit(action: string, subject: string, detail: AuditEntry['detail']): AuditEntry {
    return { atMs: this.#options.clockMs(), actor: 'admin', action, subject, detail };
  }
}

const newSecret = (): string => randomBytes(32).toString('base64url');

const unknownProject = (): ControlError => new ControlError('projectNotFound', 'There is no such project.');

/** As SPKI, PEM. RSA of a size that RS256 may be trusted with (RFC 7518 3.3). */
function readPublicKey(pem: string): string {
  let key;
  try {
    key = createPublicKey(pem);
  } catch {
    throw new ControlError('badRequest', 'publicKey must be a public key in PEM form.');
  }
  if (pem.includes('PRIVATE KEY'))
    throw new ControlError(
      'badRequest',
      'publicKey holds a private key: send the public half, and make another pair.',
    );
  const { asymmetricKeyType, asymmetricKeyDetails } = key;
  if (asymmetricKeyType !== 'rsa' || (asymmetricKeyDetails?.modulusLength ?? 0) < PROJECT_KEY_BITS_MIN)
    throw new ControlError(
      'badRequest',
      `publicKey must be an RSA key of at least ${PROJECT_KEY_BITS_MIN} bits.`,
    );
  return key.export({ type: 'spki', format: 'pem' }).toString();
}
