import { ControlClient } from '../control-client.js';
import { printJson, printTable } from '../output.js';

interface SessionItem {
  readonly sessionId: string;
  readonly connections: number;
  readonly streams: number;
}

/** Lists the sessions that control knows. */
export async function listSessions(options: { readonly json: boolean }): Promise<void> {
  const client = await ControlClient.fromEnvironment(process.env);
  const { items } = (await client.admin('sessions')) as { readonly items: readonly SessionItem[] };
  if (options.json) return printJson(items);
  printTable(
    ['SESSION', 'CONNECTIONS', 'STREAMS'],
    items.map(({ sessionId, connections, streams }) => [sessionId, String(connections), String(streams)]),
  );
}
