import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { type Setting, settings } from '../../src/settings.ts';

test('the README lists every setting with its default, as the parser has them', async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const table = /<!-- settings -->([\s\S]*?)<!-- \/settings -->/.exec(readme)?.[1] ?? '';
  const rows = [...table.matchAll(/^\| `(\w+)` \| ([^|]*) \|/gm)].map(([, name, value]) => ({ name, value }));
  expect(rows).toEqual(settings.map((setting) => ({ name: setting.name, value: defaultCell(setting) })));
});

function defaultCell(setting: Setting): string {
  if (setting.isRequired === true) return 'required';
  return setting.default === undefined ? 'none' : `\`${setting.default}\``;
}
