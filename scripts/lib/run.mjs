import { spawn } from 'node:child_process';

/**
 * Runs a command with this terminal and resolves to its exit code; a signal counts as failure.
 * Settings of the child may be given; everything else is inherited.
 */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit', ...options });
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(signal === null ? (code ?? 1) : 1));
  });
}

/** The same, but a failure ends this process with the step named in one line. */
export async function runOrExit(step, command, args, options = {}) {
  const code = await run(command, args, options).catch((error) => {
    console.error(`godwit: ${step} could not start: ${error.message}`);
    return 1;
  });
  if (code === 0) return;
  console.error(`godwit: ${step} failed (${[command, ...args].join(' ')}, exit code ${code}).`);
  process.exit(code);
}
