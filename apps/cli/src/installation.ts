import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The executable script of this command. */
export const COMMAND_SCRIPT = fileURLToPath(new URL('./main.js', import.meta.url));

const OWN_MANIFEST = fileURLToPath(new URL('../package.json', import.meta.url));
const SDK_MANIFEST = fileURLToPath(new URL('../../../packages/client/package.json', import.meta.url));
const SDK_FOLDER = fileURLToPath(new URL('../../../packages/client/dist/bundle/', import.meta.url));
const DASHBOARD_FOLDER = fileURLToPath(new URL('../../dashboard/dist/web/', import.meta.url));

export interface BrowserParts {
  readonly sdkDir?: string;
  readonly sdkVersion?: string;
  readonly dashboardDir?: string;
}

/** The built browser parts that control serves; what has not been built is absent. */
export function browserParts(): BrowserParts {
  return {
    ...(existsSync(SDK_FOLDER) ? { sdkDir: SDK_FOLDER, sdkVersion: versionIn(SDK_MANIFEST) } : {}),
    ...(existsSync(DASHBOARD_FOLDER) ? { dashboardDir: DASHBOARD_FOLDER } : {}),
  };
}

/** The version of this command. */
export function productVersion(): string {
  return versionIn(OWN_MANIFEST);
}

function versionIn(manifest: string): string {
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}
