import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { errorCodes } from '../../src/core/errors.ts';
import { alertCodes } from '../../src/core/readiness/alerts.ts';
import { failureCodes } from '../../src/core/restore/plan/outcomes.ts';
import { type Setting, settings } from '../../src/settings/settings.ts';

const root = new URL('../../', import.meta.url);
const reference = readFileSync(new URL('docs/REFERENCE.md', root), 'utf8');

/** The rows of one marked table, each as its cells. */
function tableRows(name: string): string[][] {
  const found = new RegExp(`<!-- ${name} -->(.*?)<!-- /${name} -->`, 's').exec(reference)?.[1];
  if (found === undefined) throw new Error(`REFERENCE has no section ${name}`);
  return found
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')));
}

test('the table of settings is what the parser reads', () => {
  const expected = settings.map((setting: Setting) => [
    `\`${setting.name}\``,
    setting.isRequired ? 'required' : setting.default === undefined ? 'none' : `\`${setting.default}\``,
    setting.meaning,
  ]);
  expect(tableRows('settings')).toEqual(expected);
});

test('the table of errors lists every code once, and no other', () => {
  const listed = tableRows('errors').flatMap(([codes = '']) =>
    [...codes.matchAll(/`(\w+)`/g)].map((match) => match[1] ?? ''),
  );
  expect(listed.sort()).toEqual([...errorCodes].sort());
});

test('the table of failures says of every reason why a record fails, and of no other, what to do; the console has its words', () => {
  const rows = tableRows('failures').map(([code = '', ...rest]) => [code.replaceAll('`', ''), ...rest]);
  expect(rows.map(([code]) => code)).toEqual(failureCodes);
  for (const [, meaning = '', advice = ''] of rows) expect(Math.min(meaning.length, advice.length)).toBeGreaterThan(10);
  const words = readFileSync(new URL('src/console/views/run-words.js', root), 'utf8');
  const [, reasons = ''] = /const reasons = \{(.*?)\};/s.exec(words) ?? [];
  expect([...reasons.matchAll(/^ {2}(\w+):/gm)].map(([, code]) => code)).toEqual(failureCodes);
});

test('the table of findings says of every code, and no other, what to do', () => {
  const sources = ['src/core/readiness', 'src/console/views'].flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, root)).map((file) => readFileSync(new URL(`${folder}/${file}`, root), 'utf8')),
  );
  const found = sources.flatMap((source) =>
    [...source.matchAll(/\b(?:(?:stop|risk|risk : stop|stop : risk)\)?\(\s*|level:.*\bcode: )'([A-Z]\w+)'/g)].map(
      ([, code = '']) => code,
    ),
  );
  expect(found.length).toBeGreaterThan(20);
  const listed = tableRows('findings').flatMap(([codes = '']) =>
    [...codes.matchAll(/`(\w+)`/g)].map(([, code = '']) => code),
  );
  expect(listed.sort()).toEqual([...new Set([...found, ...alertCodes])].sort());
});

test('functions that only read are named so: a key that opens get… and list… changes nothing', () => {
  const folder = new URL('functions/', root);
  for (const file of readdirSync(folder)) {
    const source = readFileSync(new URL(file, folder), 'utf8');
    const [, name, method] =
      /\broute\('(\w+)', '(\w+)'/.exec(source) ??
      /app\.http\('(\w+)', \{\s*methods: \['(\w+)'\]/.exec(source) ??
      /\blistRoute\('(\w+)'()/.exec(source) ??
      [];
    if (name !== undefined) expect([name, (method || 'GET') === 'GET']).toEqual([name, /^(get|list)[A-Z]/.test(name)]);
  }
});

test('the table of routes lists every route of the app once, and no other', () => {
  const folder = new URL('functions/', root);
  const registered = readdirSync(folder).flatMap((file) => {
    const source = readFileSync(new URL(file, folder), 'utf8');
    const [, method, path] =
      /\broute\('\w+', '(\w+)', '([^']+)'/.exec(source) ??
      /methods: \['(\w+)'\],\s*route: '([^']+)'/.exec(source) ??
      /\b()listRoute\('\w+', '([^']+)'/.exec(source) ??
      [];
    return path === undefined ? [] : [`${method || 'GET'} /api/${path.replace(/\/\{\*\w+\}$/, '')}`];
  });
  const listed = tableRows('routes').flatMap(([calls = '']) =>
    [...calls.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ''),
  );
  expect(listed.sort()).toEqual(registered.sort());
});
