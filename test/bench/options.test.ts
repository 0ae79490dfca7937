import { resolve } from 'node:path';
import { expect, test, vi } from 'vitest';
import { contenders } from './figures.ts';
import { parseOptions } from './options.ts';

test('without options everything is measured', () => {
  expect(parseOptions([])).toMatchObject({
    report: [],
    isJson: false,
    plan: {
      runs: 3,
      devices: [20_000, 200_000, 1_000_000],
      latencies: [0, 5, 50],
      only: [...contenders, 'throttled', 'two-hosts', 'sync', 'large-target'],
      hasPackage: true,
    },
  });
});

test('who runs can be chosen, and then nothing else is measured', () => {
  expect(parseOptions(['--quick', '--only', 'backup,bare-list', '--profile', 'there'])).toMatchObject({
    plan: { only: ['bare-list', 'backup'], hasPackage: false, profileDir: resolve('there') },
  });
  expect(parseOptions(['--only', 'two-hosts', '--concurrency', '4'])).toMatchObject({
    plan: { only: ['two-hosts'], concurrency: 4 },
  });
  expect(parseOptions(['--tls'])).toMatchObject({ plan: { hasTls: true } });
  expect(parseOptions(['--report', 'a,b'])).toMatchObject({ report: ['a', 'b'] });
});

test.each([
  [['--only', 'backup,none'], '"none"'],
  [['--only', ''], 'Unknown: ""'],
  [['--devices', '20k'], '--devices must be a whole number from 0, not "20k"'],
  [['--latency', '5,'], '--latency'],
  [['--runs', '-1'], '--runs'],
  [['--nonsense'], '--nonsense'],
  [['file.json'], 'file.json'],
  [['--report'], '--report'],
])('refuses %j by name', (args, message) => {
  using err = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  using exit = vi.spyOn(process, 'exit').mockImplementation(() => {
    throw new Error('The process ends.');
  });
  expect(() => parseOptions(args)).toThrow('The process ends.');
  expect(exit).toHaveBeenCalledWith(2);
  expect(err.mock.calls.join('')).toContain(message);
});
