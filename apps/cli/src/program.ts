import { Command } from 'commander';
import { productVersion } from './installation.js';
import { addNodeCommands } from './node-commands.js';
import { addCallbackCommands, addProjectCommands } from './project-commands.js';

/** The command line. Each action imports its part only when it runs, so that `--help` loads neither Fastify nor PGlite. */
export function createProgram(): Command {
  const program = new Command('godwit')
    .description('Real-time video whose sessions move between media servers without losing a packet.')
    .version(productVersion())
    .option('--config <file>', 'file of settings, NAME=value a line; the environment wins over it')
    .showHelpAfterError()
    .exitOverride()
    .hook('preAction', (_program, action) =>
      takeSettings(action.optsWithGlobals<{ config?: string }>().config),
    );
  addProcessCommands(program);
  addNodeCommands(program);
  addOperatorCommands(program);
  addProjectCommands(program);
  addCallbackCommands(program);
  return program;
}

/** From here on the environment of this process is the whole of its settings. */
async function takeSettings(config: string | undefined): Promise<void> {
  const { loadSettings } = await import('./settings/load.js');
  const { allSettings } = await import('./settings/table.js');
  const file = config ?? process.env['GODWIT_SETTINGS_FILE'];
  const { environment, warnings } = loadSettings(process.env, file, allSettings);
  Object.assign(process.env, environment);
  for (const warning of warnings) console.error(`godwit: ${warning}`);
}

function addProcessCommands(program: Command): void {
  program
    .command('up')
    .description('run the whole platform on this machine: control and GODWIT_NODES media nodes')
    .option('--lan', 'listen on the local network over HTTPS, with a generated certificate')
    .action(async (options: { lan?: boolean }) => {
      const { up } = await import('./commands/up.js');
      await up({ lan: options.lan === true });
    });
  program
    .command('control')
    .description('run one control plane process')
    .action(async () => {
      const { control } = await import('./commands/control.js');
      await control();
    });
  program
    .command('node')
    .description('run one media node; needs GODWIT_CONTROL_URL and GODWIT_JOIN_KEY')
    .action(async () => {
      const { node } = await import('./commands/node.js');
      await node();
    });
}

function addOperatorCommands(program: Command): void {
  program
    .command('sessions')
    .description('list the sessions')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const { listSessions } = await import('./commands/sessions.js');
      await listSessions({ json: options.json === true });
    });
  program
    .command('replicas')
    .description('list the controls that share the database')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const { listReplicas } = await import('./commands/replicas.js');
      await listReplicas({ json: options.json === true });
    });
  program
    .command('migrate')
    .description('move a session to another media node')
    .argument('<sessionId>')
    .option('--target <nodeId>', 'the node to move to; without it the least loaded other node')
    .option('--wait', 'show the progress and end when the migration has ended')
    .option('--rehearsal', 'do everything but the transfer, then go back')
    .option('--json', 'print JSON')
    .action(async (sessionId: string, options: MigrateFlags) => {
      const { migrate } = await import('./commands/migrate.js');
      await migrate(sessionId, {
        ...(options.target === undefined ? {} : { target: options.target }),
        wait: options.wait === true,
        rehearsal: options.rehearsal === true,
        json: options.json === true,
      });
    });
}

interface MigrateFlags {
  readonly target?: string;
  readonly wait?: boolean;
  readonly rehearsal?: boolean;
  readonly json?: boolean;
}
