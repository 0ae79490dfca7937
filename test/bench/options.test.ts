import { resolve } from 'node:path';
import { CommanderError } from '@commander-js/extra-typings';
import { expect, test, vi } from 'vitest';
import { contenders } from './measures.ts';
import { parseOptions } from './options.ts';

test('without options everything is measured', () => {
  expect(parseOptions([])).toMatchObject({
    report: [],
    isJson: false,
    plan: {
      runs: 3,
      devices: [20_000, 200_000, 1_000_000],
      latencies: [0, 5, 50],
      only: contenders,
      hasPackage: true,
      hasExtras: true,
    },
  });
});

test('who runs can be chosen, and then nothing else is measured', () => {
  const chosen = parseOptions(['--quick', '--only', 'backup,bare-list', '--profile', 'there']);
  expect(chosen).toMatchObject({
    plan: { only: ['bare-list', 'backup'], hasPackage: false, hasExtras: false, profileDir: resolve('there') },
  });
});

test.each([
  [['--only', 'backup,none'], '"none"'],
  [['--only', ''], 'Unknown: ""'],
  [['--devices', '20k'], "argument '20k' is invalid. It takes whole numbers."],
  [['--latency', '5,'], '--latency'],
  [['--runs', '-1'], '--runs'],
  [['--nonsense'], '--nonsense'],
  [['file.json'], 'file.json'],
  [['--report'], "'--report <files...>' argument missing"],
])('refuses %j by name', (args, message) => {
  using _silent = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  expect(() => parseOptions(args)).toThrow(CommanderError);
  expect(() => parseOptions(args)).toThrow(message);
});

test('asks for a report of files, and the help names every contender', () => {
  expect(parseOptions(['--report', 'a', 'b'])).toMatchObject({ report: ['a', 'b'] });
  using out = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  expect(() => parseOptions(['--help'])).toThrow(expect.objectContaining({ exitCode: 0 }));
  const help = out.mock.calls.join('');
  for (const contender of contenders) expect(help).toContain(contender);
});
