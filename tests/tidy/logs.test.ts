// How: finds every log call of the product with the TypeScript parser and compares it with docs/reference/logs.md.
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { files, isTest, isTypeScript, read } from './repository.js';

const LEVELS = new Set(['trace', 'debug', 'info', 'warn', 'error', 'fatal']);

interface LogCall {
  readonly where: string;
  readonly level: string;
  /** Null for an object that is not written out. */
  readonly fields: readonly ts.ObjectLiteralElementLike[] | null;
  readonly message: ts.Expression | undefined;
}

const calls: readonly LogCall[] = files
  .filter((file) => /^packages\/(control|node)\/src\//.test(file) && isTypeScript(file))
  .filter((file) => !isTest(file) && !file.includes('/testing/'))
  .flatMap((file) => {
    const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true);
    const found: LogCall[] = [];
    const visit = (node: ts.Node): void => {
      if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
        const { name, expression } = node.expression;
        if (LEVELS.has(name.text) && /(^|[.#])log$/.test(expression.getText())) {
          const [first, second] = node.arguments;
          const { line } = source.getLineAndCharacterOfPosition(node.getStart());
          const isAlone = first !== undefined && ts.isStringLiteralLike(first);
          found.push({
            where: `${file}:${line + 1}`,
            level: name.text,
            fields: isAlone
              ? []
              : first && ts.isObjectLiteralExpression(first)
                ? [...first.properties]
                : null,
            message: isAlone ? first : second,
          });
        }
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
    return found;
  });

const page = read('docs/reference/logs.md').replace(/ +/g, ' ');

describe('log lines', () => {
  it('are found', () => expect(calls.length).toBeGreaterThan(50));

  it('say in fixed words what happened: values are fields', () => {
    // A name that is passed on has its words at the caller.
    const isFixed = (message: ts.Expression | undefined): boolean =>
      message !== undefined && (ts.isStringLiteralLike(message) || ts.isIdentifier(message));
    const wrong = calls.filter(({ message }) => !isFixed(message));
    expect(wrong.map(({ where }) => where)).toEqual([]);
  });

  it('have the fields of the reference and no others', () => {
    const unknown = calls.flatMap(({ where, fields }) =>
      (fields ?? [])
        .filter((field) => !ts.isSpreadAssignment(field))
        .map((field) => field.name?.getText() ?? '')
        .filter((name) => !page.includes(`\`${name}\``))
        .map((name) => `${where}: ${name}`),
    );
    expect(unknown).toEqual([]);
  });

  it('carry an error as its text: an object may hold anything', () => {
    const raw = calls.flatMap(({ where, fields }) =>
      (fields ?? [])
        .filter(
          (field) => ts.isShorthandPropertyAssignment(field) && /^(error|err|cause)$/.test(field.name.text),
        )
        .map(() => where),
    );
    expect(raw).toEqual([]);
  });

  it('use the levels of the reference', () => {
    expect(
      [...new Set(calls.map(({ level }) => level))].filter((level) => !page.includes(`| \`${level}\``)),
    ).toEqual([]);
  });
});
