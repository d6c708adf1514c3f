import { z } from 'zod';

/** A setting that cannot be used: one line with its name and the remedy, never its value. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

/** One setting: how its text is read, and what the reference page says of it. */
export interface Setting<Schema extends z.ZodType = z.ZodType> {
  readonly schema: Schema;
  readonly meaning: string;
  /** What stands in the place of a default that is not a plain value. */
  readonly otherwise?: string;
  /** Never shown, and not for a file that others can read. */
  readonly isSecret?: true;
}

/** Settings of one process by their names. */
export type SettingsTable = Readonly<Record<string, Setting>>;
/** What a process was given: the environment, over a file of the same names. */
export type SettingsText = Readonly<Record<string, string | undefined>>;

/** Reads the settings of a table; empty ones count as absent. Throws a SettingsError. */
export function readSettings<Table extends SettingsTable>(
  table: Table,
  text: SettingsText,
): { readonly [Name in keyof Table]: z.output<Table[Name]['schema']> } {
  const values = Object.entries(table).map(([name, { schema }]) => {
    const given = text[name];
    const parsed = schema.safeParse(given === '' ? undefined : given);
    if (parsed.success) return [name, parsed.data];
    const rule = parsed.error.issues[0]?.message ?? 'cannot be used';
    throw new SettingsError(`${name} ${rule.replace(/\.$/, '')}.`);
  });
  return Object.fromEntries(values) as never;
}

/** A switch. */
export const flagSetting = z
  .enum(['0', '1', 'true', 'false', 'on', 'off'], { error: 'must be on or off' })
  .transform((value) => value === '1' || value === 'true' || value === 'on');

/** A port of this machine; 0 takes a free one. */
export const portSetting = wholeNumber(0, 65_535, 'must be a port number, e.g. 4600');

/** A whole number between two others, both included; `rule` says so and begins with "must". */
export function wholeNumber(min: number, max: number, rule: string) {
  return z.coerce.number({ error: rule }).int(rule).min(min, rule).max(max, rule);
}

/** How much a process logs (docs/reference/logs.md). */
export const logLevelSetting = z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'], {
  error: 'must be trace, debug, info, warn, error or silent',
});
export type LogLevel = z.output<typeof logLevelSetting>;
