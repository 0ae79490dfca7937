import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

test('every row of the table of failures names a test that exists', () => {
  const lines = readFileSync(resolve(root, 'docs/FAILURES.md'), 'utf8').split('\n');
  const rows = lines.filter((line) => line.startsWith('| ')).slice(1);
  expect(rows.length).toBeGreaterThan(30);
  for (const row of rows) {
    const [, file = '', title = ''] = /\| `(test\/[^`]+\.test\.ts)` › (.+) \|$/.exec(row) ?? [];
    expect(existsSync(resolve(root, file)) && title !== '', row).toBe(true);
    expect(titlesIn(readFileSync(resolve(root, file), 'utf8')), row).toContain(title);
  }
});

/** What follows `test(` or `it(`, or the table of a `test.each(…)(`, in quotes; a title may hold the other kind of quotes. */
function titlesIn(source: string): string[] {
  return [...source.matchAll(/(?:\b(?:test|it)(?:\.\w+)?|\))\(\s*(['"])(.+?)\1,/g)].map(([, , title = '']) => title);
}
