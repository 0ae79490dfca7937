import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ExportRows } from '../../src/app/backup/export-rows.ts';
import { cutDescriptions } from '../../src/app/backup/export-text.ts';
import { whyGivenUp, whyNotWhole } from '../../src/core/snapshot/export-job.ts';
import { runs } from '../support/property-runs.ts';

const connect = 'xmlns="http://schemas.microsoft.com/netservices/2010/10/servicebus/connect"';
const instance = 'xmlns:i="http://www.w3.org/2001/XMLSchema-instance"';
const ref = { namespace: 'one', hub: 'devices' };
const type = 'AppleTemplateRegistrationDescription';

const own = (inside: string): string => `<${type} ${connect} ${instance}>${inside}</${type}>`;
const base = (inside: string): string =>
  `<RegistrationDescription ${instance} i:type="${type}" ${connect}>${inside}</RegistrationDescription>`;

/** What may be inside a description, its own end in CDATA and comments included. */
const inside = fc
  .array(
    fc.constantFrom(
      '<Tags>a,ü</Tags>',
      '<BodyTemplate><![CDATA[a\r\n\n</RegistrationDescription> <!-- ]]></BodyTemplate>',
      `<BodyTemplate><![CDATA[</${type}>]]]]><![CDATA[>]]></BodyTemplate>`,
      `<!-- </${type}></RegistrationDescription> <![CDATA[ -->`,
      '<Expiry i:nil="true"/>',
    ),
    { maxLength: 4 },
  )
  .map((parts) => parts.join(''));
const between = fc.constantFrom('', '\n', '\r\n', '\r', '  \n\n', '<?xml version="1.0" encoding="utf-8"?>\n');

test('rows come out as they are, whatever is between them, in them, and wherever the file is cut into pages', () => {
  const file = fc.array(fc.tuple(between, inside, fc.boolean()), { maxLength: 8 });
  fc.assert(
    fc.property(
      file,
      fc.constantFrom('', '\uFEFF'),
      between,
      fc.integer({ min: 1, max: 3 }),
      (rows, mark, end, most) => {
        const text = Buffer.from(
          mark + rows.map(([gap, xml, isBase]) => gap + (isBase ? base : own)(xml)).join('') + end,
        );
        const found: string[] = [];
        for (let at = 0; at < text.length; ) {
          const cut = cutDescriptions(text.subarray(at), most);
          found.push(...cut.rows.map((row) => Buffer.from(row).toString()));
          if (cut.end === undefined || (cut.end === 0 && cut.rows.length === 0)) break;
          at += cut.end;
        }
        expect(found).toEqual(rows.map(([, xml]) => own(xml)));
      },
    ),
    { numRuns: runs(400) },
  );
});

test('what is cut anywhere is a whole row or none', () => {
  const text = Buffer.from(`${base('<Tags>a</Tags>')}\n${own('<BodyTemplate><![CDATA[x]]></BodyTemplate>')}\n`);
  for (let length = 0; length <= text.length; length += 1) {
    const { rows, end } = cutDescriptions(text.subarray(0, length), 10);
    expect(end, `${length}`).toBeDefined();
    for (const row of rows) expect(Buffer.from(row).toString()).toMatch(/<\/AppleTemplateRegistrationDescription>$/);
    const rest = cutDescriptions(text.subarray(end), 10).rows.length;
    expect(rows.length + rest, `${length}`).toBe(2);
  }
});

test('a base root that says more stays as it is; another root, or none, is no export', () => {
  const more = base('').replace('i:type', 'x="1" i:type');
  expect(cutDescriptions(Buffer.from(more), 1).rows.map((row) => Buffer.from(row).toString())).toEqual([more]);
  const prefixed = `<a:RegistrationDescription xmlns:a="b"></a:RegistrationDescription>`;
  expect(cutDescriptions(Buffer.from(prefixed), 1).rows).toHaveLength(1);
  for (const other of [
    '<Error><Code>1</Code></Error>',
    'line,BadRequest',
    '\u001f\u008b\u0008 gz',
    `${' '.repeat(2000)}<x`,
  ]) {
    expect(cutDescriptions(Buffer.from(`${other} ${'x'.repeat(2000)}`), 1).end, other).toBe(undefined);
  }
});

test('pages of a file go on from any token, with ranges read ahead', async () => {
  const rows = Array.from({ length: 2500 }, (_, index) => own(`<Tags>t${index}</Tags>`));
  const text = Buffer.from(rows.map((row) => `${row}\n`).join(''));
  let open = 0;
  const read = async ({ offset, length }: { offset: number; length: number }) => {
    open += 1;
    return text.subarray(offset, offset + length);
  };
  const all = new ExportRows(ref, text.length, read);
  const found: Uint8Array[] = [];
  const tokens: (string | undefined)[] = [undefined];
  for (let token: string | undefined; ; ) {
    const page = await all.listPage(token);
    found.push(...page.rows);
    token = page.nextToken;
    if (token === undefined) break;
    tokens.push(token);
  }
  expect(found.map((row) => Buffer.from(row).toString())).toEqual(rows);
  expect([tokens.length, open]).toEqual([3, 1]);
  // Another step, with nothing in memory.
  const later = await new ExportRows(ref, text.length, read).listPage(tokens[2]);
  expect(later.rows).toHaveLength(500);
  await expect(all.listPage('31(n);100')).rejects.toThrow('is lost');
  await expect(new ExportRows(ref, text.length - 3, read).listPage(tokens[2])).rejects.toThrow('ends in the middle');
});

test('a job is waited for while it moves, and no longer than its SAS lasts', () => {
  const at = '2026-11-23T09:00:00.000Z';
  const minutes = (count: number): number => Date.parse(at) + count * 60_000;
  const state = { state: 'submitted', container: 'c', askedAt: at, movedAt: at } as const;
  expect(whyGivenUp(state, minutes(14), 900_000)).toBe(undefined);
  expect(whyGivenUp(state, minutes(15), 900_000)).toBe('it has stayed at 0 % for 15 minutes');
  const moving = { ...state, progress: 70, movedAt: '2026-11-23T12:20:00.000Z' };
  expect(whyGivenUp(moving, minutes(205), 900_000)).toBe(undefined);
  expect(whyGivenUp(moving, minutes(210), 900_000)).toBe('it was not done after 210 minutes');
});

test('an export is whole only with rows, nearly all readable, and about as many as usual', () => {
  const whole = (rowCount: number, unreadableCount: number, usual?: number) =>
    whyNotWhole({ rowCount, unreadableCount }, usual, 20);
  expect(whole(0, 0)).toBe('it holds no registration');
  expect([whole(1000, 1), whole(1000, 2)]).toEqual([undefined, '2 of its 1,000 registrations cannot be read']);
  expect([whole(80, 0, 100), whole(79, 0, 100)]).toEqual([
    undefined,
    'it holds 79 registrations, and the last good snapshot 100',
  ]);
});
