import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { inCommands } from '../../src/cli/parts/in-commands.ts';

const rooms = ['app', 'azure', 'core', 'hub', 'settings'].map((room) => new URL(`../../src/${room}/`, import.meta.url));

/** The calls that messages of the app name. Comments are for who reads the source. */
const calls = rooms
  .flatMap((room) =>
    readdirSync(room, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => readFileSync(new URL(file, room), 'utf8').split('\n')),
  )
  .filter((line) => !/^\s*(?:\/?\*|\/\/)/.test(line))
  .flatMap((line) => line.match(/(?:GET|POST|PUT|DELETE) \/api\/[^\s'"`),;]+/g) ?? [])
  .map((call) => call.replaceAll(/\$\{kind\}/g, 'backup').replaceAll(/\$\{[^}]+\}/g, 'id-1'));

test('there are such calls', () => {
  expect(calls.length).toBeGreaterThan(20);
});

test.each([...new Set(calls)])('%s is a command of the terminal', (call) => {
  expect(inCommands(call)).not.toContain('/api/');
});
