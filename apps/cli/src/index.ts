import { CommanderError } from 'commander';
import { cliErrorCatalogue, explain } from './errors.js';
import { createProgram } from './program.js';

/**
 * Runs the `godwit` command with the arguments after its name. Errors end as one line on stderr and an exit code;
 * a command that keeps running (up, control, node) returns once it has stopped.
 */
export async function run(commandLine: readonly string[]): Promise<void> {
  try {
    await createProgram().parseAsync([...commandLine], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has printed the help, or what is wrong with the arguments.
      process.exitCode = error.exitCode === 0 ? 0 : cliErrorCatalogue.usage.exitCode;
      return;
    }
    const { message, exitCode } = explain(error);
    console.error(`godwit: ${message}`);
    if (process.env['GODWIT_DEBUG'] === '1') console.error(error);
    process.exitCode = exitCode;
    // A part that failed half way may hold the event loop open; what it said is already written.
    setTimeout(() => process.exit(exitCode), 100).unref();
  }
}
