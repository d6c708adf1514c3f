// How: counts lines with the TypeScript parser. ESLint has the same limits; here they hold for files it does not read too.
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { files, isTest, isTypeScript, read } from './repository.js';

/** A file that needs more holds more than one concept. */
const FILE_LINES_MAX = 400;
/** One screen. */
const FUNCTION_LINES_MAX = 70;

const sources = files.filter((file) => isTypeScript(file) && !isTest(file) && !file.includes('/contract'));
const scripts = files.filter((file) => file.endsWith('.mjs'));

/** Lines that hold code: neither blank nor only a comment. */
function codeLines(text: string): number {
  const withoutComments = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  return withoutComments.split('\n').filter((line) => line.trim() !== '').length;
}

function longFunctions(file: string): string[] {
  const text = read(file);
  const kind = file.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS;
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true, kind);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) {
      const lines = codeLines(node.getText(source));
      const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
      if (lines > FUNCTION_LINES_MAX) found.push(`${file}:${line + 1} has a function of ${lines} lines`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

describe('sizes', () => {
  it(`keeps files at ${FILE_LINES_MAX} lines of code`, () => {
    const tooLong = [...sources, ...scripts]
      .map((file) => ({ file, lines: codeLines(read(file)) }))
      .filter(({ lines }) => lines > FILE_LINES_MAX);
    expect(tooLong).toEqual([]);
  });

  it(`keeps functions at ${FUNCTION_LINES_MAX} lines of code`, () => {
    expect([...sources, ...scripts].flatMap(longFunctions)).toEqual([]);
  });
});
