import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** Expressions this project no longer uses; sound uses ("told apart", "stands for") are excluded. */
const gone = [
  ...[/\bmend(?:s|ed|ing)?\b/i, /\btold\b(?! apart)/i, /\banew\b/i, /\bwhoever\b/i, /\bsomebody\b/i, /\bnobody\b/i],
  ...[/\bstands\b(?! for\b)/i, /\bgoes on\b/i, /\blacks\b/i, /\bso many\b/i, /\bas the day is\b/i],
  ...[/\bthe heart stops\b/i, /\bput(?:s|ting)? off\b/i],
];

/** The one file that spells them. */
const self = 'test/docs/plain-words.test.ts';

test.each([
  ['the drill\n   * goes on', 1],
  ['// Whoever asks is told anew.', 3],
  ['It is put\n// off until later.', 1],
  ['Hashes that are told apart; what each stands for.', 0],
  ['const amendment = whoeverElse;', 0],
])('finds what is gone, also across lines: %j', (text, count) => {
  expect(findingsIn(text)).toHaveLength(count);
});

test('docs, comments, messages and titles use none of the expressions that are gone', () => {
  const options = { cwd: root, encoding: 'utf8' } as const;
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], options).split('\n');
  const files = listed.filter((file) => /\.(?:ts|js|md|html|json)$/.test(file) && file !== self);
  expect(files.length).toBeGreaterThan(300);
  const found = files.flatMap((file) =>
    findingsIn(readFileSync(join(root, file), 'utf8')).map((what) => `${file}: ${what}`),
  );
  expect(found).toEqual([]);
});

/** Each expression that occurs, with some of its surroundings. */
function findingsIn(text: string): string[] {
  const prose = text.replaceAll(/\s*\n\s*(?:\*|\/\/)?\s*/g, ' ');
  return gone.flatMap((expression) => {
    const { index } = expression.exec(prose) ?? {};
    return index === undefined ? [] : [prose.slice(Math.max(0, index - 40), index + 60)];
  });
}
