// Registers a module loader hook for this process: `node --import …/mutate.mjs`, with the mutation as JSON in
// GODWIT_MUTATION. Where the compiled form of a file of it is asked for, the source with one text replaced is given.
import { existsSync, readFileSync } from 'node:fs';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = new URL('../../../', import.meta.url);

function mutated(name, { file, find, replace }) {
  const url = new URL(file, root).href.replace('/src/', '/dist/').replace(/\.ts$/, '.js');
  const parts = readFileSync(new URL(file, root), 'utf8').split(find);
  // A mutation that fits nowhere, or in two places, would rot silently.
  if (parts.length !== 2) throw new Error(`${name}: found ${parts.length - 1} times in ${file}`);
  if (!existsSync(fileURLToPath(url))) throw new Error(`${name}: ${file} has not been compiled`);
  const { outputText } = ts.transpileModule(parts.join(replace), {
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
    },
  });
  return { url, source: outputText };
}

const mutation = process.env.GODWIT_MUTATION;
if (mutation !== undefined) {
  const { name, also = [], ...first } = JSON.parse(mutation);
  const data = [first, ...also].map((edit) => mutated(name, edit));
  register('./hooks.mjs', import.meta.url, { data });
}
