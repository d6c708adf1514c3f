import type { Command } from 'commander';

interface Flags {
  readonly json?: boolean;
}
const outputOf = ({ json }: Flags): { readonly json: boolean } => ({ json: json === true });

/** `godwit projects …`: what administrators do to projects. */
export function addProjectCommands(program: Command): void {
  const projects = program
    .command('projects')
    .description('list the projects')
    .option('--json', 'print JSON')
    .action(async (flags: Flags) => {
      const { listProjects } = await import('./commands/projects.js');
      await listProjects(outputOf(flags));
    });
  addProjectChanges(projects);
  addCredentialChanges(projects);
}

function addProjectChanges(projects: Command): void {
  projects
    .command('show')
    .description('show a project with its valid secrets and keys')
    .argument('<projectId>')
    .action(async (projectId: string, _flags: Flags, command: Command) => {
      const { showProject } = await import('./commands/projects.js');
      await showProject(projectId, outputOf(command.optsWithGlobals()));
    });
  projects
    .command('create')
    .description('make a project; without a public key it gets a secret')
    .argument('<name>')
    .option('--id <projectId>', 'its API key or application id; without it a new UUID')
    .option('--public-key-file <file>', 'PEM; the project signs with the private half')
    .action(async (name: string, flags: { id?: string; publicKeyFile?: string }, command: Command) => {
      const { createProject } = await import('./commands/projects.js');
      await createProject(name, { ...flags, ...outputOf(command.optsWithGlobals()) });
    });
  projects
    .command('callbacks')
    .description('send the callbacks of the project’s sessions to this address; `none` sends them nowhere')
    .argument('<projectId>')
    .argument('<url>')
    .action(async (projectId: string, url: string, _flags: Flags, command: Command) => {
      const { setCallbackUrl } = await import('./commands/projects.js');
      await setCallbackUrl(projectId, url === 'none' ? null : url, outputOf(command.optsWithGlobals()));
    });
}

function addCredentialChanges(projects: Command): void {
  projects
    .command('add-secret')
    .description('make a second secret, to take the place of the first')
    .argument('<projectId>')
    .action(async (projectId: string, _flags: Flags, command: Command) => {
      const { addSecret } = await import('./commands/projects.js');
      await addSecret(projectId, outputOf(command.optsWithGlobals()));
    });
  projects
    .command('add-key')
    .description('add a public key (PEM)')
    .argument('<projectId>')
    .argument('<file>')
    .action(async (projectId: string, file: string, _flags: Flags, command: Command) => {
      const { addKey } = await import('./commands/projects.js');
      await addKey(projectId, file, outputOf(command.optsWithGlobals()));
    });
  projects
    .command('revoke')
    .description('take a secret or a key away, for good')
    .argument('<projectId>')
    .argument('<credentialId>')
    .action(async (projectId: string, credentialId: string, _flags: Flags, command: Command) => {
      const { revokeCredential } = await import('./commands/projects.js');
      await revokeCredential(projectId, credentialId, outputOf(command.optsWithGlobals()));
    });
}

/** `godwit callbacks …`: what could not be delivered. */
export function addCallbackCommands(program: Command): void {
  const callbacks = program
    .command('callbacks')
    .description('list the callbacks that were given up')
    .option('--json', 'print JSON')
    .action(async (flags: Flags) => {
      const { listDeadCallbacks } = await import('./commands/callbacks.js');
      await listDeadCallbacks(outputOf(flags));
    });
  callbacks
    .command('replay')
    .description('send callbacks that were given up once more')
    .argument('[callbackId...]')
    .option('--all', 'every one that was given up')
    .action(async (ids: readonly string[], flags: { all?: boolean }, command: Command) => {
      const { replayCallbacks } = await import('./commands/callbacks.js');
      await replayCallbacks(ids, { all: flags.all === true, ...outputOf(command.optsWithGlobals()) });
    });
}
