// How: follows every relative link of every Markdown file and looks for its target, headings included.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { files, read, root, workspaces } from './repository.js';

const documents = files.filter((file) => file.endsWith('.md'));

/** Targets of the relative links to files, from the root. */
const linkedFiles = (file: string): string[] =>
  Array.from(withoutCode(read(file)).matchAll(/\]\(([^)\s#]+)[^)\s]*\)/g), (match) => match[1] ?? '')
    .filter((link) => !/^[a-z]+:/i.test(link))
    .map((link) => path.posix.join(path.posix.dirname(file), decodeURI(link)));

const withoutCode = (text: string): string =>
  text.replace(/```[\s\S]*?```/g, '').replace(/`[^`\n]*`/g, 'code');

/** The anchor that GitHub gives to a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');
}

function anchorsOf(file: string): Set<string> {
  const headings = read(file)
    .replace(/```[\s\S]*?```/g, '')
    .matchAll(/^#{1,6}\s+(.+)$/gm);
  return new Set(Array.from(headings, (match) => anchorOf(match[1] ?? '')));
}

/** Says what is wrong with a link, or nothing. */
function complaint(file: string, link: string): string | undefined {
  if (/^[a-z]+:/i.test(link)) return undefined;
  const [target = '', anchor] = link.split('#');
  const resolved = target === '' ? file : path.posix.join(path.posix.dirname(file), decodeURI(target));
  if (resolved.startsWith('..')) return `${file}: ${link} leads out of the repository`;
  if (!existsSync(path.join(root, resolved))) return `${file}: ${link} does not exist`;
  if (anchor === undefined || !resolved.endsWith('.md')) return undefined;
  return anchorsOf(resolved).has(anchor) ? undefined : `${file}: ${link} has no such heading`;
}

describe('documents', () => {
  it('have no dead links', () => {
    const dead = documents.flatMap((file) =>
      Array.from(withoutCode(read(file)).matchAll(/\]\(([^)\s]+)\)/g), (match) =>
        complaint(file, match[1] ?? ''),
      ),
    );
    expect(dead.filter((line) => line !== undefined)).toEqual([]);
  });

  it('include a README in every package', () => {
    const without = workspaces
      .map(({ folder }) => `${folder}/README.md`)
      .filter((file) => !files.includes(file));
    expect(without).toEqual([]);
  });

  it('name every package in ARCHITECTURE.md', () => {
    const architecture = read('ARCHITECTURE.md');
    const unnamed = workspaces
      .map(({ folder }) => folder)
      .filter((folder) => !architecture.includes(`\`${folder}\``));
    expect(unnamed).toEqual([]);
  });

  it('list every decision in the index', () => {
    const index = read('docs/decisions/README.md');
    const unlisted = files
      .filter((file) => /^docs\/decisions\/\d{4}-.*\.md$/.test(file))
      .filter((file) => !index.includes(path.basename(file)));
    expect(unlisted).toEqual([]);
  });

  it('are all reached from README.md', () => {
    const reached = new Set<string>();
    const queue = ['README.md'];
    for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
      if (reached.has(file) || !documents.includes(file)) continue;
      reached.add(file);
      queue.push(...linkedFiles(file));
    }
    const lost = documents.filter((file) => file.startsWith('docs/') && !reached.has(file));
    expect(lost).toEqual([]);
  });

  it('name only npm scripts that exist', () => {
    const scripts = new Set(
      files
        .filter((file) => path.basename(file) === 'package.json')
        .flatMap((file) => Object.keys((JSON.parse(read(file)) as { scripts?: object }).scripts ?? {})),
    );
    const unknown = documents.flatMap((file) =>
      Array.from(read(file).matchAll(/\bnpm run ([\w:-]+)/g), (match) => match[1] ?? '')
        .filter((name) => !scripts.has(name))
        .map((name) => `${file}: npm run ${name}`),
    );
    expect(unknown).toEqual([]);
  });

  it('have every rule of a handover that a comment cites', () => {
    const rules = numberedRules(read('docs/reference/handover.md'));
    const cited = files
      .filter((file) => /\.(tsx?|mjs|js|md)$/.test(file))
      .flatMap((file) =>
        Array.from(read(file).matchAll(/\bHANDOVER (\d+(?:\.\d+)?)/g), (match) => ({
          file,
          rule: match[1] ?? '',
        })),
      );
    expect(cited.length).toBeGreaterThan(0);
    expect(cited.filter(({ rule }) => !rules.has(rule))).toEqual([]);
  });
});

/** "2" for a heading "## 2. …", and "2.5" for item 5 of the list under it. */
function numberedRules(text: string): Set<string> {
  const rules = new Set<string>();
  let section = '';
  for (const line of text.split('\n')) {
    section = /^## (\d+)\./.exec(line)?.[1] ?? section;
    if (section !== '') rules.add(section);
    const item = /^(\d+)\. /.exec(line)?.[1];
    if (item !== undefined) rules.add(`${section}.${item}`);
  }
  return rules;
}
