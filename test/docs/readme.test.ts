import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { errorCodes } from '../../src/core/errors.ts';
import { type Setting, settings } from '../../src/settings/settings.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

function section(name: string): string {
  const found = new RegExp(`<!-- ${name} -->(.*?)<!-- /${name} -->`, 's').exec(readme)?.[1];
  if (found === undefined) throw new Error(`README has no section ${name}`);
  return found;
}

test("README's table of settings is what the parser reads", () => {
  const rows = section('settings')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')));
  const expected = settings.map((setting: Setting) => [
    `\`${setting.name}\``,
    setting.isRequired ? 'required' : setting.default === undefined ? 'none' : `\`${setting.default}\``,
    setting.meaning,
  ]);
  expect(rows).toEqual(expected);
});

test('README lists every error code once, and no other', () => {
  const listed = section('errors')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...(line.split(' | ')[0] ?? '').matchAll(/`(\w+)`/g)].map((match) => match[1]));
  expect(listed.sort()).toEqual([...errorCodes].sort());
});

test('README stays within 150 lines', () => {
  expect(readme.split('\n').length).toBeLessThanOrEqual(151);
});
