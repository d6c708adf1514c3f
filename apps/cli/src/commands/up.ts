import { setTimeout as delay } from 'node:timers/promises';
import { loadSecrets, parseSettings, secretsPath } from '@godwit/control';
import { readSettings } from '@godwit/protocol';
import { CONFIGURATION_EXIT_CODE } from '../errors.js';
import { COMMAND_SCRIPT } from '../installation.js';
import { lanUrl, prepareLan } from '../lan/lan.js';
import { commandSettingsTable } from '../settings/table.js';
import { startChild } from '../supervisor/child.js';
import { ChildCannotRunError, Supervisor } from '../supervisor/supervisor.js';
import { controlEnvironment, nodeEnvironment } from '../up/environments.js';
import { describePlatform } from '../up/welcome.js';

export interface UpOptions {
  readonly lan: boolean;
}

/** Runs one control process and GODWIT_NODES media nodes on this machine until SIGTERM or Ctrl-C. */
export async function up(options: UpOptions): Promise<void> {
  const settings = parseSettings(process.env);
  const { GODWIT_NODES: nodeCount } = readSettings(commandSettingsTable, process.env);
  const secrets = await loadSecrets(settings);
  const lan = options.lan ? await prepareLan(settings.dataDir) : undefined;
  const supervisor = createSupervisor();
  const stopped = endOnSignal(supervisor);
  try {
    const controlUrl = await supervisor.keep({
      name: 'control',
      commandLine: [COMMAND_SCRIPT, 'control'],
      env: controlEnvironment(process.env, secrets, lan),
    });
    const local = localUrl(controlUrl);
    const numbers = Array.from({ length: nodeCount }, (_, index) => index + 1);
    await Promise.all(
      numbers.map((number) =>
        supervisor.keep({
          name: `node ${number}`,
          commandLine: [COMMAND_SCRIPT, 'node'],
          env: nodeEnvironment(process.env, {
            number,
            nodeCount,
            controlUrl: local,
            joinKey: secrets.joinKey,
            lan,
          }),
        }),
      ),
    );
    const lines = await describePlatform({
      url: local,
      lan:
        lan === undefined
          ? undefined
          : { url: lanUrl(lan, local), certificateFile: lan.certificate.certFile },
      secretsPath: secretsPath(settings.dataDir),
      nodeCount,
      colors: process.stdout.isTTY,
    });
    for (const line of lines) console.log(line);
  } catch (error) {
    if (!supervisor.stopping) await giveUp(supervisor, error);
  }
  await stopped;
}

function createSupervisor(): Supervisor {
  return new Supervisor({
    start: startChild,
    say: (line) => console.log(line),
    now: () => performance.now(),
    wait: (ms, signal) => delay(ms, undefined, { signal }).catch(() => undefined),
  });
}

/** Ends everything and then this process, at the first SIGTERM or Ctrl-C; never resolves otherwise. */
function endOnSignal(supervisor: Supervisor): Promise<never> {
  return new Promise(() => {
    let ending = false;
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (ending) return;
        ending = true;
        console.log('godwit: stopping …');
        void supervisor.stop().then(() => process.exit(0));
      });
    }
  });
}

/** A child has said why it cannot run: nothing is left running, and the exit code says that trying again is no use. */
async function giveUp(supervisor: Supervisor, error: unknown): Promise<never> {
  await supervisor.stop();
  // Its reason is on the terminal already.
  if (error instanceof ChildCannotRunError) process.exit(CONFIGURATION_EXIT_CODE);
  throw error;
}

/** How processes of this machine reach control, whatever it listens on. */
function localUrl(controlUrl: string): string {
  const url = new URL(controlUrl);
  if (url.hostname === '0.0.0.0' || url.hostname === '[::]') url.hostname = '127.0.0.1';
  return url.origin;
}
