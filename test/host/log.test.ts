import { expect, test } from 'vitest';
import { createLog } from '../../local/host/log.ts';

function logged(levels: Readonly<Record<string, string>>, isQuiet = false): string {
  const lines: string[] = [];
  const log = createLog((line) => lines.push(line.replace(/^\S+ /, '')), levels, isQuiet);
  log.host('information', 'host info');
  log.host('warning', 'host warning');
  log.app('debug', 'backup', 'app debug');
  log.app('information', 'backup', 'app info');
  log.app('error', 'other', 'app error');
  return lines.join('; ');
}

test('debug lines are hidden by default and every other line names its origin', () => {
  const expected = '[host] host info; [host] warning: host warning; [backup] app info; [other] error: app error';
  expect(logged({})).toBe(expected);
});

test('quiet hides the host and keeps the app, warnings and errors', () => {
  expect(logged({}, true)).toBe('[host] warning: host warning; [backup] app info; [other] error: app error');
});

test('the longest matching category of host.json decides', () => {
  const levels = { default: 'Error', 'Function.backup': 'Debug', Function: 'None' };
  expect(logged(levels)).toBe('[backup] debug: app debug; [backup] app info');
});
