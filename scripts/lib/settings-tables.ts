import type { z } from 'zod';
import { nodeSettingsTable } from '../../packages/node/src/settings.js';
import { controlSettingsTable } from '../../packages/control/src/settings.js';
import { commandSettingsTable } from '../../apps/cli/src/settings/table.js';
import type { Setting, SettingsTable } from '../../packages/protocol/src/settings.js';

const TABLES: Readonly<Record<string, SettingsTable>> = {
  control: controlSettingsTable,
  node: nodeSettingsTable,
  command: commandSettingsTable,
};

/** The page with a fresh table behind each of its marks; what else it says stays. */
export function fillSettingsTables(page: string): string {
  return page.replace(
    /(<!-- made from the code: (\w+) -->\n)(\n*\|[^\n]*)*/g,
    (_all, mark: string, name: string) => {
      const table = TABLES[name];
      if (table === undefined)
        throw new Error(`The page asks for settings of "${name}", which there are not.`);
      return `${mark}\n${markdownTable(table)}`;
    },
  );
}

function markdownTable(table: SettingsTable): string {
  const rows = Object.entries(table).map(([name, setting]) => [
    `\`${name}\``,
    defaultOf(setting),
    setting.isSecret === true ? 'yes' : '',
    setting.meaning,
  ]);
  return [['setting', 'default', 'secret', 'meaning'], ['-', '-', '-', '-'], ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

function defaultOf({ schema, otherwise }: Setting): string {
  if (otherwise !== undefined) return otherwise;
  const { defaultValue } = (schema as z.ZodDefault).def;
  if (typeof defaultValue === 'boolean') return defaultValue ? '`on`' : '`off`';
  if (typeof defaultValue === 'string' || typeof defaultValue === 'number') return `\`${defaultValue}\``;
  throw new Error('A setting without a default has to say what happens then.');
}
