import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { runOrExit } from './run.mjs';

/**
 * Says whether node_modules holds what package-lock.json asks for. npm writes what it installed to
 * node_modules/.package-lock.json when it has finished, so an interrupted install is noticed too.
 */
export function isInstalled(root) {
  const installedFile = path.join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installedFile)) return false;
  const wanted = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')).packages;
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
  return Object.entries(wanted).every(([location, entry]) => {
    if (!location.startsWith('node_modules/')) return true;
    if (entry.link) return existsSync(path.join(root, location));
    const found = installed[location];
    if (!found) return entry.optional === true || entry.peer === true;
    return found.version === entry.version && found.integrity === entry.integrity;
  });
}

/** Installs the dependencies when they are missing or differ from the lock file. */
export async function ensureInstalled(root) {
  if (isInstalled(root)) return;
  console.log(
    'godwit: installing dependencies (first start, or package-lock.json changed); about two minutes …',
  );
  await runOrExit('installing dependencies', 'npm', ['ci', '--loglevel=error'], { cwd: root });
}
