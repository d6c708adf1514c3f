// A module loader hook: where the compiled form of one source file is asked for, gives the source with one text replaced.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const mutation = JSON.parse(process.env.GODWIT_MUTATION ?? 'null');
const target = new URL(`../../${mutation.file}`, import.meta.url).href;
const compiled = target.replace('/src/', '/dist/').replace(/\.ts$/, '.js');

export async function load(url, context, nextLoad) {
  if (url !== compiled) return nextLoad(url, context);
  const source = await readFile(fileURLToPath(target), 'utf8');
  const parts = source.split(mutation.find);
  // A mutation that fits nowhere, or in two places, would rot silently.
  if (parts.length !== 2)
    throw new Error(`${mutation.name}: found ${parts.length - 1} times in ${mutation.file}`);
  const { outputText } = ts.transpileModule(parts.join(mutation.replace), {
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
    },
  });
  return { format: 'module', source: outputText, shortCircuit: true };
}
