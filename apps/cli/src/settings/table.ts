import { controlSettingsTable } from '@godwit/control';
import { nodeSettingsTable } from '@godwit/node';
import { wholeNumber, type SettingsTable } from '@godwit/protocol';
import { z } from 'zod';
import { EMBEDDED_NODES_MAX } from '../limits.js';

/** What `godwit up` and the operator's commands read, besides control's settings. */
export const commandSettingsTable = {
  GODWIT_NODES: {
    schema: wholeNumber(
      1,
      EMBEDDED_NODES_MAX,
      `must be a whole number from 1 to ${EMBEDDED_NODES_MAX}`,
    ).default(2),
    meaning: 'media nodes of `godwit up` on this machine',
  },
  GODWIT_CONTROL_URL: {
    schema: z
      .url({
        protocol: /^https?$/,
        error: 'must be the URL of the control plane, e.g. http://127.0.0.1:4600',
      })
      .optional(),
    otherwise: '`http://127.0.0.1:$GODWIT_PORT`',
    meaning: 'which platform `nodes`, `sessions`, `migrate`, `projects` and `callbacks` speak to',
  },
  GODWIT_SETTINGS_FILE: {
    schema: z.string().optional(),
    otherwise: 'none',
    meaning: 'file of settings; `--config` on the command line wins',
  },
  GODWIT_DEBUG: {
    schema: z.enum(['1'], { error: 'must be 1, or left out' }).optional(),
    otherwise: 'off',
    meaning: '`1` prints the stack of an error',
  },
} as const satisfies SettingsTable;

/** Every setting that any process of this installation reads. */
export const allSettings: SettingsTable = {
  ...nodeSettingsTable,
  ...controlSettingsTable,
  ...commandSettingsTable,
};
