import { readFileSync } from 'node:fs';
import path from 'node:path';
import { format, resolveConfig } from 'prettier';
import { Harness } from '../../packages/control/src/testing/harness.js';
import { fillSettingsTables } from './settings-tables.js';

/** A page under docs that is made from the code. */
export interface ReferencePage {
  /** From the root of the repository. */
  readonly file: string;
  readonly text: string;
}

/** Makes all of them anew, or the parts of them that are made. */
export async function referencePages(root: string): Promise<ReferencePage[]> {
  const settings = 'docs/reference/settings.md';
  return [
    await page(root, 'docs/reference/openapi.json', await openapi()),
    await page(root, settings, fillSettingsTables(readFileSync(path.join(root, settings), 'utf8'))),
  ];
}

/** As a control that runs answers it. */
async function openapi(): Promise<string> {
  const harness = await Harness.start();
  try {
    return await (await fetch(`${harness.url}/openapi.json`)).text();
  } finally {
    await harness.close();
  }
}

async function page(root: string, file: string, text: string): Promise<ReferencePage> {
  const filepath = path.join(root, file);
  return { file, text: await format(text, { ...(await resolveConfig(filepath)), filepath }) };
}
