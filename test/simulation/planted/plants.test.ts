import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { plants } from './plants.ts';
import { storedSeeds } from './table.ts';

test('the README lists every known bug, and a seed is stored for each', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const listed = [...readme.matchAll(/^\| ([a-z][^|`]+) \| `(\w+)` \|$/gm)].map(([, bug, kind]) => [bug, kind]);
  expect(listed).toEqual(Object.entries(plants).map(([bug, { kind }]) => [bug, kind]));
  expect(Object.keys(await storedSeeds())).toEqual(Object.keys(plants));
});
