import { readFile } from 'node:fs/promises';
import { ControlClient } from '../control-client.js';
import { CliError } from '../errors.js';
import { formatTime, printJson, printMade, printTable } from '../output.js';

interface Credential {
  readonly id: string;
  readonly createdAt: number;
}

interface Project {
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  readonly secrets: readonly Credential[];
  readonly keys: readonly Credential[];
  readonly signatureSecret: boolean;
  readonly callbackUrls: { readonly session: string | null };
  /** Told once, when the project is made. */
  readonly secret?: string;
}

interface Output {
  readonly json: boolean;
}

/** Lists the projects. */
export async function listProjects({ json }: Output): Promise<void> {
  const client = await ControlClient.fromEnvironment(process.env);
  const { items } = (await client.admin('projects')) as { readonly items: readonly Project[] };
  if (json) return printJson(items);
  printTable(
    ['PROJECT', 'NAME', 'CREATED'],
    items.map(({ id, name, createdAt }) => [id, name, formatTime(createdAt)]),
  );
}

/** Shows one project with its valid secrets and keys, and where its callbacks go. */
export async function showProject(id: string, { json }: Output): Promise<void> {
  const client = await ControlClient.fromEnvironment(process.env);
  print((await client.admin(pathOf(id))) as Project, json);
}

/** Makes a project; without a public key it gets a secret, which is printed and told nowhere else. */
export async function createProject(
  name: string,
  { json, id, publicKeyFile }: Output & { readonly id?: string; readonly publicKeyFile?: string },
): Promise<void> {
  const client = await ControlClient.fromEnvironment(process.env);
  const made = await client.changeAdmin('POST', 'projects', {
    name,
    ...(id === undefined ? {} : { id }),
    ...(publicKeyFile === undefined ? {} : { publicKey: await readKey(publicKeyFile) }),
  });
  print(made as Project, json);
}

/** Makes a second secret; it is printed and told nowhere else. */
export async function addSecret(id: string, { json }: Output): Promise<void> {
  const client = await ControlClient.fromEnvironment(process.env);
  const made = (await client.changeAdmin('POST', pathOf(id, 'secrets'))) as {
    readonly id: string;
    readonly secret: string;
  };
  if (json) return printJson(made);
  printMade(`secret ${made.id}`, made.secret);
  console.log('Revoke the former one when nobody signs with it any more.');
}

export async function addKey(id: string, file: string, { json }: Output): Promise<void> {
  const client = await ControlClient.fromEnvironment(process.env);
  const publicKey = await readKey(file);
  const made = (await client.changeAdmin('POST', pathOf(id, 'keys'), {
    publicKey,
  })) as {
    readonly id: string;
  };
  if (json) printJson(made);
  else console.log(`key ${made.id} is valid from now on`);
}

/** Takes a secret or a key away, for good. */
export async function revokeCredential(id: string, credentialId: string, { json }: Output): Promise<void> {
  const client = await ControlClient.fromEnvironment(process.env);
  // Secrets and keys share their ids.
  await client.changeAdmin('DELETE', pathOf(id, 'secrets', credentialId));
  if (json) printJson({ id, revoked: credentialId });
  else console.log(`${credentialId} is not valid any more; other controls refuse it within five seconds`);
}

/** Where the callbacks of a project's sessions go; null: nowhere. */
export async function setCallbackUrl(id: string, session: string | null, { json }: Output): Promise<void> {
  const client = await ControlClient.fromEnvironment(process.env);
  const project = await client.changeAdmin('PUT', pathOf(id), {
    callbackUrls: { session },
  });
  print(project as Project, json);
}

function print(project: Project, json: boolean): void {
  if (json) return printJson(project);
  const { id, name, secrets, keys, callbackUrls, signatureSecret, secret } = project;
  console.log(`project ${id} (${name})`);
  printTable(
    ['VALID', 'ID', 'SINCE'],
    [
      ...secrets.map((each) => ['secret', each.id, formatTime(each.createdAt)]),
      ...keys.map((each) => ['key', each.id, formatTime(each.createdAt)]),
    ],
  );
  console.log(`callbacks of sessions: ${callbackUrls.session ?? 'none'}`);
  console.log(`signed with: ${signatureSecret ? 'a signature secret of its own' : 'the newest secret'}`);
  if (secret !== undefined) printMade('secret', secret);
}

async function readKey(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw new CliError(
      'configuration',
      `The file ${file} cannot be read. Name one with a public key in PEM form.`,
      {
        cause,
      },
    );
  });
}

/** Of a project in the admin interface, or of something of it. */
const pathOf = (...segments: readonly string[]): string =>
  ['projects', ...segments.map(encodeURIComponent)].join('/');
