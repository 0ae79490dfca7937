import { readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { expect, test } from 'vitest';
import { dualPlants } from '../dual/plants.ts';
import { type Change, plants, withChange } from './plants.ts';
import { storedSeeds } from './table.ts';

const all = { ...plants, ...dualPlants };

test('the README lists every known bug, and a seed is stored for each', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const listed = [...readme.matchAll(/^\| ([a-z][^|`]+) \| `(\w+)` \|$/gm)].map(([, bug, kind]) => [bug, kind]);
  expect(listed).toEqual(Object.entries(all).map(([bug, { kind }]) => [bug, kind]));
  expect(Object.keys(await storedSeeds())).toEqual(Object.keys(plants));
});

const changes = Object.entries(all).flatMap(([bug, plant]) =>
  plant.changes.map((change: Change) => ({ bug, ...change })),
);

test.each(changes)('the source has one place for "$bug" in $file', async (change) => {
  const source = new URL(`../../../src/${change.file.replace(/\.js$/, '.ts')}`, import.meta.url);
  const text = stripTypeScriptTypes(await readFile(source, 'utf8'));
  expect(withChange(change, text)).not.toBe(text);
});
