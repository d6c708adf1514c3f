import type { AuditEntry, ProjectCredential } from '../records.js';
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

async function newProject({ projects }: Storage): Promise<string> {
  const apiKey = unique('project');
  const project = { apiKey, name: 'one', createdAtMs: NOW_MS, signatureSecret: null };
  await projects.create(project, auditOf(apiKey, 'project.created'));
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
    const apiKey = await newProject(open());
    const again = { apiKey, name: 'two', createdAtMs: NOW_MS, signatureSecret: null };
    equal(await projects.create(again, auditOf(apiKey)), false);
    await projects.ensure(again);
    equal((await projects.get(apiKey))?.name, 'one');
    equal(await projects.update(apiKey, { name: 'three', signatureSecret: 'sealed' }, auditOf(apiKey)), true);
    equal(await projects.update(apiKey, { signatureSecret: null }, auditOf(apiKey)), true);
    equal(await projects.update('nobody', { name: 'x' }, auditOf('nobody')), false);
    const project = await projects.get(apiKey);
    equal([project?.name, project?.signatureSecret, project?.credentials], ['three', null, []]);
    const lines = (await audit.list()).filter(({ subject }) => subject === apiKey);
    equal(
      lines.map(({ action }) => action),
      ['project.changed', 'project.changed', 'project.created'],
    );
    equal(lines[0]?.detail, { by: 'contract' });
    equal(
      (await projects.list()).some((other) => other.apiKey === apiKey),
      true,
    );
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
