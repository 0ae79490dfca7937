import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';

const root = new URL('../../', import.meta.url);
const names = z.record(z.string(), z.string());
const manifestSchema = z.object({ dependencies: names, devDependencies: names });

test('CONTRIBUTING gives the reason of every dependency once, and names no other', () => {
  const manifest = manifestSchema.parse(JSON.parse(readFileSync(new URL('package.json', root), 'utf8')));
  const table = readFileSync(new URL('CONTRIBUTING.md', root), 'utf8').split('| package | for |')[1] ?? '';
  const rows = table.split('\n').filter((line) => /^\| (?:dev: )?`/.test(line));
  const listed = (isDev: boolean) =>
    rows
      .filter((row) => row.startsWith('| dev:') === isDev)
      .flatMap((row) => [...(row.split(' | ')[0] ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ''));
  expect(listed(false).sort()).toEqual(Object.keys(manifest.dependencies).sort());
  expect(listed(true).sort()).toEqual(Object.keys(manifest.devDependencies).sort());
});
