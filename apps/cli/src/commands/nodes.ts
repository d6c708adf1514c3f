import type { NodeSummary } from '@godwit/control';
import { ControlClient } from '../control-client.js';
import { printJson, printTable } from '../output.js';

/** Lists the media nodes that control knows. */
export async function listNodes(options: { readonly json: boolean }): Promise<void> {
  const client = await ControlClient.fromEnvironment(process.env);
  const { items } = (await client.admin('nodes')) as { readonly items: readonly NodeSummary[] };
  if (options.json) return printJson(items);
  printTable(
    ['NODE', 'STATE', 'LOAD', 'TRANSPORTS', 'SESSIONS', 'VERSION', 'PID', 'OPERATIONS'],
    items.map((node) => [
      node.id,
      node.state,
      `${node.mediaLoad} %`,
      String(node.transports),
      String(node.sessions),
      node.version,
      String(node.pid ?? '-'),
      node.opsUrl ?? '-',
    ]),
  );
}
