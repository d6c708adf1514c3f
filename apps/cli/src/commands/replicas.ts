import type { ReplicaView } from '@godwit/control';
import { ControlClient } from '../control-client.js';
import { printJson, printTable, formatTime } from '../output.js';

/** Lists the controls that share the database. */
export async function listReplicas(options: { readonly json: boolean }): Promise<void> {
  const client = await ControlClient.fromEnvironment(process.env);
  const { items } = (await client.admin('replicas')) as { readonly items: readonly ReplicaView[] };
  if (options.json) return printJson(items);
  printTable(
    ['CONTROL', 'URL', 'STARTED', ''],
    items.map(({ id, url, startedAt, isAsked }) => [
      id,
      url ?? '-',
      formatTime(startedAt),
      isAsked ? 'asked' : '',
    ]),
  );
}
