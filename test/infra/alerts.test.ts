import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { alertCodes, nextAlert } from '../../src/core/readiness/alerts.ts';
import { createLog } from '../../src/log.ts';
import { at, listAt, ofType, readShape, readText, type Shape } from './shapes.ts';

const shape = readShape('existing-hubs');
const root = new URL('../../', import.meta.url);

interface Rule {
  readonly name: string;
  readonly query: string;
  readonly severity: unknown;
}

function rulesOf(of: Shape): readonly Rule[] {
  return ofType(of, 'Microsoft.Insights/scheduledQueryRules').map((rule) => ({
    name: rule.name.split('-').at(-1) ?? '',
    query: `${at(rule, 'properties.criteria.allOf.0.query')}`,
    severity: at(rule, 'properties.severity'),
  }));
}

/** What the app logs when a condition of that code begins. */
function lineOf(code: (typeof alertCodes)[number]): { readonly line: string; readonly severity: string | undefined } {
  const around = { hub: 'one/devices', now: '2026-01-01T00:00:00.000Z', hasWebhook: false };
  const alert = nextAlert(undefined, { code, message: 'Some words, "quoted".' }, around);
  const lines: string[] = [];
  // As src/app/readiness/alerts.ts does.
  createLog((_level, line) => lines.push(line)).warn('alert', {
    code,
    state: 'open',
    reason: alert?.opening.message ?? '',
  });
  return { line: lines.join(), severity: alert?.opening.severity };
}

test.each(alertCodes)('the rule of its severity finds %s, and no other does', (code) => {
  const { line, severity } = lineOf(code);
  const found = rulesOf(shape).filter(({ query }) => {
    const [, start = 'never'] = /startswith "([^"]+)"/.exec(query) ?? [];
    const [, part = 'never'] = /contains "([^"]+)"/.exec(query) ?? [];
    const [, pattern = 'never'] = /extract\("([^"]+)", 1, Message\)/.exec(query) ?? [];
    const listed = [...(/code in \(([^)]*)\)/.exec(query)?.[1] ?? '').matchAll(/"(\w+)"/g)].map(([, one]) => one);
    const extracted = new RegExp(pattern).exec(line)?.[1];
    return line.startsWith(start) && line.includes(part) && listed.includes(extracted);
  });
  expect(found.map((rule) => rule.severity)).toEqual([severity === 'critical' ? 1 : 2]);
});

test('a rule looks at the function that runs each minute, and speaks when it does not', () => {
  const silent = rulesOf(shape).find(({ name }) => name === 'silent');
  const [, name] = /OperationName == "(\w+)"/.exec(silent?.query ?? '') ?? [];
  expect(readText('functions/watchdog.ts')).toContain(`app.timer('${name}'`);
});

test('a window is no shorter than the time between two looks, and only what does not end by itself is muted', () => {
  const minutes = (text: unknown): number => Number(/^PT(\d+)M$/.exec(`${text}`)?.[1]);
  for (const rule of ofType(shape, 'Microsoft.Insights/scheduledQueryRules')) {
    const [window, every] = ['windowSize', 'evaluationFrequency'].map((name) =>
      minutes(at(rule, `properties.${name}`)),
    );
    expect(window).toBeGreaterThanOrEqual(every ?? Number.NaN);
    const isMuted = at(rule, 'properties.muteActionsDuration') !== undefined;
    expect(isMuted).toBe(at(rule, 'properties.autoMitigate') === false);
  }
});

test('every message that the workbook or a rule looks for is one that the app logs', () => {
  const source = readdirSync(new URL('src', root), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readText(`src/${file}`))
    .join('\n');
  const queries = [
    ...listAt(JSON.parse(readText('infra/workbook.json')), 'items').map((item) => `${at(item, 'content.query')}`),
    ...rulesOf(shape).map(({ query }) => query),
  ];
  const starts = queries.flatMap((query) =>
    [...query.matchAll(/startswith "([^"]+?)(?: \w+=)?"/g)].map(([, start]) => start),
  );
  expect(starts.length).toBeGreaterThan(7);
  expect(starts.filter((start) => !new RegExp(`log\\.\\w+\\('${start}'`).test(source))).toEqual([]);
});

test('mails go to those who are named', () => {
  const [group] = ofType(readShape('zone-redundant'), 'Microsoft.Insights/actionGroups');
  expect(at(group, 'properties.emailReceivers.0.emailAddress')).toBe('on-call@example.com');
});
