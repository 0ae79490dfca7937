import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAst } from 'vitest/node';
import { z } from 'zod';

/**
 * What the product can say: the texts of its strings, templates and pages. To read them one after the other:
 * `node test/docs/sentences.ts src functions`.
 */

/** A text of two words or more, as it is written in one place. What is filled in is `…`, a constant in capitals `#`. */
export interface Sentence {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

const root = join(import.meta.dirname, '../..');

/** Of all files below these folders. They are parsed: comments, types and imports are no texts. */
export function sentencesOf(...folders: readonly string[]): readonly Sentence[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...folders], {
    cwd: root,
    encoding: 'utf8',
  });
  const files = [...new Set(listed.split('\n'))].filter((file) => /(?<!\.d)\.(?:[jt]s|html)$/.test(file));
  return files.flatMap((file) => sentencesIn(file, readFileSync(join(root, file), 'utf8')));
}

/** Of one file: of TypeScript, JavaScript or HTML, as its name says. */
export function sentencesIn(file: string, source: string): Sentence[] {
  const texts = file.endsWith('.html')
    ? textsOfPage(source)
    : textsOfModule(source, file.endsWith('.ts') ? 'ts' : 'js');
  return texts
    .filter(({ text }) => /\p{L}\S* +\S*[\p{L}…]/u.test(text))
    .map(({ at, text }) => ({ file, line: source.slice(0, at).split('\n').length, text }));
}

interface Text {
  readonly at: number;
  readonly text: string;
}

/** Between tags, and in attributes. */
function textsOfPage(source: string): Text[] {
  const found = source.matchAll(/>([^<]+)<|(?:alt|title|label|content)="([^"]+)"/g);
  return [...found].map(({ index, 1: between = '', 2: attribute }) => ({
    at: index,
    text: attribute ?? between.trim(),
  }));
}

interface SyntaxNode {
  readonly type: string;
  readonly start: number;
}

/** What holds no text that is said. */
const unsaid = new Set(['typeAnnotation', 'typeArguments', 'source']);

function textsOfModule(source: string, lang: 'ts' | 'js'): Text[] {
  const found: Text[] = [];
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) node.forEach(visit);
    if (!isSyntaxNode(node)) return;
    const text = textOf(node);
    if (text !== undefined) found.push({ at: node.start, text });
    for (const [name, value] of Object.entries(node)) if (!unsaid.has(name)) visit(value);
  };
  visit(parseAst(source, { lang }));
  return found;
}

function isSyntaxNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}

function textOf(node: SyntaxNode): string | undefined {
  if (node.type === 'Literal' && 'value' in node && typeof node.value === 'string') return node.value;
  if (node.type !== 'TemplateLiteral') return undefined;
  const { quasis, expressions } = templateSchema.parse(node);
  return quasis.map(({ value }, index) => `${value.cooked}${fillingOf(expressions[index])}`).join('');
}

const templateSchema = z.object({
  quasis: z.array(z.object({ value: z.object({ cooked: z.string() }) })),
  expressions: z.array(z.object({ name: z.unknown().optional() })),
});

function fillingOf(expression: { readonly name?: unknown } | undefined): string {
  if (expression === undefined) return '';
  return typeof expression.name === 'string' && /^[A-Z_]+$/.test(expression.name) ? '#' : '…';
}

if (import.meta.main) {
  for (const { file, line, text } of sentencesOf(...process.argv.slice(2))) {
    process.stdout.write(`${file}:${line}: ${text.replaceAll('\n', '\\n')}\n`);
  }
}
