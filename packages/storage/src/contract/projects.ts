import type { AuditEntry, ProjectCredential, ProjectRecord } from '../records.js';
import type { Storage } from '../storage.js';
import { NOW_MS, unique, type ContractRunner } from './fixtures.js';

const auditOf = (subject: string, action = 'project.changed'): AuditEntry => ({
  atMs: NOW_MS,
  actor: 'admin',
  action,
  subject,
  detail: { by: 'contract' },
});
let credentials = 0;
const credentialOf = (kind: 'secret' | 'key'): ProjectCredential => ({
  credentialId: unique('credential'),
  kind,
  material: `sealed ${kind}`,
  createdAtMs: NOW_MS + credentials++,
});

const projectOf = (apiKey: string): ProjectRecord => ({
  apiKey,
  name: 'one',
  createdAtMs: NOW_MS,
  signatureSecret: null,
});

/** A project that has nothing to sign with yet. */
async function newProject({ projects }: Storage): Promise<string> {
  const apiKey = unique('project');
  await projects.ensure(projectOf(apiKey));
  return apiKey;
}

export function projectContract({ it, equal }: ContractRunner, open: () => Storage): void {
  it('adds a credential once, however many ask for it at once', async () => {
    const { projects, meta } = open();
    const apiKey = unique('project');
    await projects.ensure({ apiKey, name: 'n', createdAtMs: NOW_MS, signatureSecret: null });
    const fact = { key: unique('fact'), value: 'hash' };
    const audit = { atMs: NOW_MS, actor: 'settings', action: 'a', subject: apiKey, detail: {} };
    const ask = () => {
      const credential = {
        credentialId: unique('secret'),
        kind: 'secret',
        material: 'm',
        createdAtMs: NOW_MS,
      } as const;
      return projects.addCredentialOnce(apiKey, credential, audit, fact);
    };
    equal(await Promise.all([ask(), ask(), ask()]), ['added', 'added', 'added']);
    equal((await projects.get(apiKey))?.credentials.length, 1);
    equal(await meta.get(fact.key), 'hash');
  });

  it('makes a project once and changes it, each with a line in the audit', async () => {
    const { projects, audit } = open();
    const apiKey = unique('project');
    const created = [auditOf(apiKey, 'project.created'), auditOf(apiKey, 'project.secret.added')];
    const first = credentialOf('secret');
    equal(await projects.create(projectOf(apiKey), first, created), true);
    const again = { ...projectOf(apiKey), name: 'two' };
    equal(await projects.create(again, credentialOf('secret'), [auditOf(apiKey)]), false);
    await projects.ensure(again);
    equal((await projects.get(apiKey))?.name, 'one');
    equal(await projects.update(apiKey, { name: 'three', signatureSecret: 'sealed' }, auditOf(apiKey)), true);
    equal(await projects.update(apiKey, { signatureSecret: null }, auditOf(apiKey)), true);
    equal(await projects.update('nobody', { name: 'x' }, auditOf('nobody')), false);
    const project = await projects.get(apiKey);
    equal([project?.name, project?.signatureSecret, project?.credentials], ['three', null, [first]]);
    const lines = (await audit.list()).filter(({ subject }) => subject === apiKey);
    equal(
      lines.map(({ action }) => action),
      ['project.changed', 'project.changed', 'project.secret.added', 'project.created'],
    );
    equal(lines[0]?.detail, { by: 'contract' });
    equal(
      (await projects.list()).some((other) => other.apiKey === apiKey),
      true,
    );
  });

  it('makes no project when its first credential cannot be written', async () => {
    const { projects, audit } = open();
    const taken = credentialOf('secret');
    await projects.addCredential(await newProject(open()), taken, auditOf('other'));
    const apiKey = unique('project');
    const refused = await projects.create(projectOf(apiKey), taken, [auditOf(apiKey)]).then(
      () => false,
      () => true,
    );
    equal([refused, await projects.get(apiKey)], [true, null]);
    equal(
      (await audit.list()).some(({ subject }) => subject === apiKey),
      false,
    );
    equal(await projects.create(projectOf(apiKey), credentialOf('secret'), [auditOf(apiKey)]), true);
  });

  it('lets two secrets be valid at once, and not one more, however many ask at once', async () => {
    const { projects } = open();
    const apiKey = await newProject(open());
    const tried = [credentialOf('secret'), credentialOf('secret'), credentialOf('secret')];
    const added = await Promise.all(
      tried.map((credential) => projects.addCredential(apiKey, credential, auditOf(apiKey))),
    );
    equal(added.toSorted(), ['added', 'added', 'full']);
    equal(await projects.addCredential(apiKey, credentialOf('key'), auditOf(apiKey)), 'added');
    equal(await projects.addCredential('nobody', credentialOf('key'), auditOf('nobody')), 'no-project');
    const kinds = (await projects.get(apiKey))?.credentials.map(({ kind }) => kind);
    equal(kinds, ['secret', 'secret', 'key']);
  });

  it('revokes for good, but never the last credential', async () => {
    const { projects } = open();
    const apiKey = await newProject(open());
    const [first, second] = [credentialOf('secret'), credentialOf('key')];
    await projects.addCredential(apiKey, first, auditOf(apiKey));
    equal(await projects.revokeCredential(apiKey, first.credentialId, auditOf(apiKey)), 'last');
    await projects.addCredential(apiKey, second, auditOf(apiKey));
    equal(await projects.revokeCredential('nobody', first.credentialId, auditOf(apiKey)), 'unknown');
    equal(await projects.revokeCredential(apiKey, first.credentialId, auditOf(apiKey)), 'revoked');
    equal(await projects.revokeCredential(apiKey, first.credentialId, auditOf(apiKey)), 'unknown');
    equal(await projects.revokeCredential(apiKey, second.credentialId, auditOf(apiKey)), 'last');
    equal((await projects.get(apiKey))?.credentials, [second]);
  });
}
