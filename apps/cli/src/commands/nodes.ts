import type { AdminNode } from '@godwit/control';
import { ControlClient } from '../control-client.js';
import { CliError } from '../errors.js';
import { printJson, printTable } from '../output.js';

interface Output {
  readonly json: boolean;
}

/** When a node is to end: one of the two. */
interface End {
  /** `90m`, `4h`, `2d`. */
  readonly in?: string;
  /** ISO 8601 with its zone. */
  readonly at?: string;
}

/** Lists the media nodes that control knows. */
export async function listNodes({ json }: Output): Promise<void> {
  const client = await ControlClient.fromEnvironment(process.env);
  const { items } = (await client.admin('nodes')) as { readonly items: readonly AdminNode[] };
  if (json) return printJson(items);
  printTable(
    ['NODE', 'STATE', 'LOAD', 'TRANSPORTS', 'SESSIONS', 'VERSION', 'PID', 'OPERATIONS', 'ENDS'],
    items.map((node) => [
      node.id,
      node.state,
      `${node.mediaLoad} %`,
      String(node.transports),
      String(node.sessions),
      node.version,
      String(node.pid ?? '-'),
      node.opsUrl ?? '-',
      describeEnd(node),
    ]),
  );
}

/** Says when a node is to end. */
export async function planEnd(
  nodeId: string,
  { json, reason, ...end }: Output & End & { readonly reason?: string },
): Promise<void> {
  const endsAt = endsAtMs(end, Date.now());
  const client = await ControlClient.fromEnvironment(process.env);
  const body = { endsAt, ...(reason === undefined ? {} : { reason }) };
  const node = (await client.changeAdmin('PUT', pathOf(nodeId), body)) as AdminNode;
  if (json) printJson(node);
  else console.log(`${node.id} ends ${describeEnd(node)}; its sessions are told 4 hours and 1 hour ahead`);
}

/** Takes a planned end back. */
export async function keepNode(nodeId: string, { json }: Output): Promise<void> {
  const client = await ControlClient.fromEnvironment(process.env);
  await client.changeAdmin('DELETE', pathOf(nodeId));
  if (json) printJson({ id: nodeId, plannedEnd: null });
  else console.log(`${nodeId} stays; what was not told yet is not told any more`);
}

const UNITS_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** The time that `--in` or `--at` means, milliseconds since 1970. Throws a CliError. */
export function endsAtMs({ in: duration, at }: End, nowMs: number): number {
  if ((duration === undefined) === (at === undefined))
    throw new CliError('usage', 'Say when: --in 4h, or --at 2026-12-01T03:00:00Z.');
  if (at !== undefined) {
    // Without a zone it would mean another time on another machine.
    const timeMs = /(Z|[+-]\d\d:?\d\d)$/.test(at) ? Date.parse(at) : Number.NaN;
    if (Number.isNaN(timeMs))
      throw new CliError('usage', `${at} is no time with a zone, such as 2026-12-01T03:00:00Z.`);
    return timeMs;
  }
  const [, number, unit] = /^(\d{1,9})([smhd])$/.exec(duration ?? '') ?? [];
  if (number === undefined) throw new CliError('usage', `${duration} is no duration, such as 90m, 4h or 2d.`);
  return nowMs + Number(number) * UNITS_MS[unit as keyof typeof UNITS_MS];
}

function describeEnd({ plannedEnd }: AdminNode): string {
  if (plannedEnd === undefined) return '-';
  const time = `${new Date(plannedEnd.endsAt).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  return plannedEnd.reason === '' ? time : `${time} (${plannedEnd.reason})`;
}

const pathOf = (nodeId: string): string => `nodes/${encodeURIComponent(nodeId)}/planned-end`;
