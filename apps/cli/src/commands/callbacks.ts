import { ControlClient } from '../control-client.js';
import { CliError } from '../errors.js';
import { formatTime, printJson, printTable } from '../output.js';

interface DeadCallback {
  readonly id: string;
  readonly projectId: string;
  readonly sessionId: string;
  readonly event: string;
  readonly givenUpAt: number;
  readonly attempts: number;
  readonly lastError: string | null;
}

async function readDead(client: ControlClient): Promise<readonly DeadCallback[]> {
  const { items } = (await client.admin('callbacks/dead')) as { readonly items: readonly DeadCallback[] };
  return items;
}

/** Lists the callbacks that were given up, newest first. */
export async function listDeadCallbacks({ json }: { readonly json: boolean }): Promise<void> {
  const items = await readDead(await ControlClient.fromEnvironment(process.env));
  if (json) return printJson(items);
  if (items.length === 0) return console.log('No callback was given up.');
  printTable(
    ['CALLBACK', 'PROJECT', 'EVENT', 'GIVEN UP', 'ATTEMPTS', 'LAST ERROR'],
    items.map(({ id, projectId, event, givenUpAt, attempts, lastError }) => [
      id,
      projectId,
      event,
      formatTime(givenUpAt),
      String(attempts),
      lastError ?? '',
    ]),
  );
}

/** Sends callbacks once more, oldest first: those named, or every one that was given up. */
export async function replayCallbacks(
  ids: readonly string[],
  { json, all }: { readonly json: boolean; readonly all: boolean },
): Promise<void> {
  if (all === ids.length > 0) throw new CliError('usage', 'Name the callbacks to send again, or say --all.');
  const client = await ControlClient.fromEnvironment(process.env);
  const chosen = all ? (await readDead(client)).map(({ id }) => id).toReversed() : ids;
  for (const [at, id] of chosen.entries()) {
    await client.changeAdmin('POST', `callbacks/dead/${encodeURIComponent(id)}/replay`);
    if (!json) console.log(`${at + 1} of ${chosen.length}: ${id} is sent again`);
  }
  if (json) printJson({ replayed: chosen });
}
