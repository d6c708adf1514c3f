import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The executable script of this command. */
export const COMMAND_SCRIPT = fileURLToPath(new URL('./main.js', import.meta.url));

const SDK_FOLDER = fileURLToPath(new URL('../../../packages/client/dist/bundle/', import.meta.url));
const DASHBOARD_FOLDER = fileURLToPath(new URL('../../dashboard/dist/web/', import.meta.url));

/** The built browser parts that control serves; what has not been built is absent. */
export function browserFolders(): { readonly sdkDir?: string; readonly dashboardDir?: string } {
  return {
    ...(existsSync(SDK_FOLDER) ? { sdkDir: SDK_FOLDER } : {}),
    ...(existsSync(DASHBOARD_FOLDER) ? { dashboardDir: DASHBOARD_FOLDER } : {}),
  };
}
