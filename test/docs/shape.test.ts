import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

test('README stays within 150 lines, and no line of it is a wall of text', () => {
  const lines = read('README.md').split('\n');
  expect(lines.length).toBeLessThanOrEqual(151);
  expect(lines.filter((line) => line.length > 180)).toEqual([]);
});

test('ARCHITECTURE stays within 900 words, and its glossary within 15 terms', () => {
  const text = read('docs/ARCHITECTURE.md');
  expect(text.trim().split(/\s+/).length).toBeLessThanOrEqual(900);
  const glossary = text.split('## Glossary')[1]?.split('## ')[0] ?? '';
  const terms = glossary.split('\n').filter((line) => line.startsWith('- ')).length;
  expect(terms).toBeGreaterThan(5);
  expect(terms).toBeLessThanOrEqual(15);
});

test('every file of the code that ARCHITECTURE names is there', () => {
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  }).split('\n');
  const named = [...read('docs/ARCHITECTURE.md').matchAll(/`([\w/-]*?)(\{[\w,-]+\}|[\w-]+)\.ts`/g)].flatMap(
    ([, folder = '', name = '']) =>
      name
        .replace(/[{}]/g, '')
        .split(',')
        .map((one) => `${folder}${one}.ts`),
  );
  expect(named.length).toBeGreaterThan(15);
  expect(named.filter((name) => !files.some((file) => `/${file}`.endsWith(`/${name}`)))).toEqual([]);
});

test('every link of a document leads to a file', () => {
  const files = execFileSync('git', ['ls-files', '*.md'], { cwd: root, encoding: 'utf8' }).trim().split('\n');
  const links = files.flatMap((file) =>
    [...read(file).matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path = '']) => join(dirname(file), path)),
  );
  expect(links.length).toBeGreaterThan(10);
  expect(links.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

test('the app, the terminal tool and the changelog have the version of the package', () => {
  const [, version] = /"version": "(.+?)"/.exec(read('package.json')) ?? [];
  expect(read('src/compose.ts')).toContain(`TOOL_VERSION = '${version}'`);
  expect(read('src/cli/parts/tool.ts')).toContain(`version = '${version}'`);
  expect(read('CHANGELOG.md')).toMatch(new RegExp(`^## ${version} - \\d{4}-\\d\\d-\\d\\d$`, 'm'));
});
