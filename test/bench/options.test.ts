import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { help, OptionError, parseOptions } from './options.ts';
import { contenders } from './sample.ts';

test('without options everything is measured', () => {
  expect(parseOptions([])).toMatchObject({
    kind: 'bench',
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
  [['--only', 'backup,nobody'], '"nobody"'],
  [['--only', ''], '--only knows no ""'],
  [['--devices', '20k'], '--devices takes whole numbers, not "20k".'],
  [['--latency', '5,'], '--latency'],
  [['--runs', '-1'], '--runs'],
  [['--nonsense'], '--nonsense'],
  [['file.json'], 'file.json'],
  [['--report'], '--report takes files.'],
])('refuses %j by name', (args, message) => {
  expect(() => parseOptions(args)).toThrow(OptionError);
  expect(() => parseOptions(args)).toThrow(message);
});

test('asks for a report of files, and the help names every contender', () => {
  expect(parseOptions(['--report', 'a', 'b'])).toEqual({ kind: 'report', files: ['a', 'b'] });
  for (const contender of contenders) expect(help).toContain(contender);
});
