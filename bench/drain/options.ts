import { parseArgs } from 'node:util';
import type { LoadShape } from '../load/session-load.js';

export interface DrainOptions extends LoadShape {
  /** Length of the quiet stretch before the moves, ms. */
  readonly quietMs: number;
  /** Migrations there and back by the API, before the drain by SIGTERM. */
  readonly rounds: number;
  /** Node.js arguments for control and nodes, to profile them. */
  readonly profile: string | undefined;
}

/** Reads the command line. Throws on what it does not know. */
export function readOptions(args: readonly string[]): DrainOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      transports: { type: 'string', default: '200' },
      egress: { type: 'string', default: '10' },
      rate: { type: 'string', default: '50' },
      payload: { type: 'string', default: '120' },
      quiet: { type: 'string', default: '8' },
      rounds: { type: 'string', default: '1' },
      profile: { type: 'string' },
    },
  });
  return {
    transports: positive('transports', values.transports),
    egress: positive('egress', values.egress),
    packetsPerSecond: positive('rate', values.rate),
    payloadBytes: positive('payload', values.payload),
    quietMs: positive('quiet', values.quiet) * 1_000,
    rounds: positive('rounds', values.rounds),
    profile: values.profile,
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new RangeError(`--${name} is a positive number`);
  return value;
}
