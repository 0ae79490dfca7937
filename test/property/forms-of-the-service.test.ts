import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalHandle, kindOf } from '../../src/core/registration/elements.ts';
import { expectedForms, isInPlace } from '../../src/core/registration/expected.ts';
import { groupRows } from '../../src/core/registration/record.ts';
import { canonicalRow, parseRegistration } from '../../src/core/registration/registration.ts';
import { planAgain } from '../../src/core/restore/plan/later-pass.ts';
import { backUp, contentOf, restore } from '../support/drive.ts';
import { createEngine } from '../support/engine.ts';
import { runs } from '../support/property-runs.ts';
import { aDescription, type Description, type Field } from './descriptions.ts';

const CONNECT = 'xmlns="http://schemas.microsoft.com/netservices/2010/10/servicebus/connect"';
const INSTANCE = 'xmlns:i="http://www.w3.org/2001/XMLSchema-instance"';

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function inCdata(text: string): string {
  return `<![CDATA[${text.replaceAll(']]>', ']]]]><![CDATA[>')}]]>`;
}

interface Writing {
  readonly start: (type: string) => readonly [open: string, close: string];
  readonly never: string;
  readonly body: (text: string) => string;
  /** An element that says nothing. */
  readonly empty: (name: string) => string;
}

/** How the service has listed, and exported, the same registration (service-facts 1.2, 1.5, 2.4). */
const writings = {
  'listed before 2022': {
    start: (type) => [`<${type} ${CONNECT} ${INSTANCE}>`, `</${type}>`],
    never: '9999-12-31T23:59:59.999Z',
    body: inCdata,
    empty: (name) => (name.endsWith('Headers') ? `<${name}/>` : `<${name} i:nil="true"/>`),
  },
  'listed now': {
    start: (type) => [`<${type} ${INSTANCE} ${CONNECT}>`, `</${type}>`],
    never: '9999-12-31T23:59:59.9999999Z',
    body: inCdata,
    empty: () => '',
  },
  exported: {
    start: (type) => [
      `<RegistrationDescription ${INSTANCE} i:type="${type}" ${CONNECT}>`,
      '</RegistrationDescription>',
    ],
    never: '9999-12-31T23:59:59.9999999Z',
    body: escaped,
    empty: (name) => `<${name}></${name}>`,
  },
} as const satisfies Record<string, Writing>;

const all: readonly Writing[] = Object.values(writings);

function write({ type, fields }: Description, { start, never, body, empty }: Writing): string {
  const { platform } = kindOf(type);
  const one = ({ name, text, children }: Field): string => {
    if (name === 'ExpirationTime') return `<${name}>${never}</${name}>`;
    if (children !== undefined) return `<${name}>${children.map(one).join('')}</${name}>`;
    if (text === '') return empty(name);
    if (name === 'DeviceToken') return `<${name}>${canonicalHandle(platform, text)}</${name}>`;
    return `<${name}>${name === 'BodyTemplate' ? body(text) : escaped(text)}</${name}>`;
  };
  const has = new Set(fields.map(({ name }) => name));
  const headers = { Apple: 'ApnsHeaders', Windows: 'WnsHeaders', Mpns: 'MpnsHeaders' }[platform];
  const absent = type.includes('Template') && headers !== undefined && !has.has(headers) ? [empty(headers)] : [];
  const [open, close] = start(type);
  return `${open}${[...fields.map(one), ...absent].join('')}${close}`;
}

const someDescription = aDescription.map(({ source }) => source);

test('one registration is one content, listed before 2022, listed now, or exported', () => {
  fc.assert(
    fc.property(someDescription, (source) => {
      const rows = all.map((writing) => parseRegistration(write(source, writing)));
      expect(new Set(rows.map(({ xml }) => canonicalRow(xml))).size).toBe(1);
      expect(new Set(rows.map(({ xml: _, expirationTime: __, ...read }) => JSON.stringify(read))).size).toBe(1);
    }),
    { numRuns: runs(600) },
  );
});

const options = { expiryFloorAtMs: 0, livesElsewhere: () => false, mintedFor: () => [] };
const someWriting = fc.constantFrom(...all);

test('records of an older form plan nothing against a listing of today, plain or of installations', () => {
  fc.assert(
    fc.property(
      fc.array(someDescription, { minLength: 1, maxLength: 4 }),
      fc.option(fc.constantFrom('app', 'a.b'), { nil: undefined }),
      someWriting,
      (given, installation, older) => {
        const tag = { name: 'Tags', text: `$InstallationId:{${installation}},a` };
        const sources = given.map((source, index) => ({
          ...source,
          fields: [
            ...source.fields
              .filter(({ name }) => installation === undefined || name !== 'Tags')
              .map((field) => (field.name === 'RegistrationId' ? { ...field, text: `${index}-1-1` } : field)),
            ...(installation === undefined ? [] : [tag]),
          ],
        }));
        const recordsIn = (writing: Writing) =>
          groupRows(sources.map((source) => parseRegistration(write(source, writing)))).records;
        const live = new Map(recordsIn(writings['listed now']).map((record) => [record.key, record]));
        for (const record of recordsIn(older)) {
          const found = live.get(record.key);
          if (found === undefined) throw new Error('Its key is another one.');
          expect(expectedForms(record)).toEqual(expectedForms(found));
          // What an installation's body gives is another thing than a torn listing of it.
          if (!isInPlace(found, found)) continue;
          expect(planAgain(record, found, options)).toMatchObject({ kind: 'unchanged' });
        }
        expect(recordsIn(older)).toHaveLength(live.size);
      },
    ),
    { numRuns: runs(400) },
  );
});

/** Registrations of random kinds by their ids. */
function someSources(): ReadonlyMap<string, Description> {
  const sources = fc.sample(someDescription, { numRuns: 30, seed: 7 });
  return new Map(
    sources.map((source, index) => {
      const id = `${index}-1-1`;
      const others = source.fields.filter(({ name }) => name !== 'RegistrationId' && name !== 'ETag');
      const own = [
        { name: 'ETag', text: '1' },
        { name: 'RegistrationId', text: id },
      ];
      return [id, { ...source, fields: [...own, ...others] }] as const;
    }),
  );
}

test.each(
  Object.entries(writings).flatMap(([older, writing]) => [
    { older, writing, newer: 'both hubs list', changes: ['primary', 'secondary'] as const },
    { older, writing, newer: 'the source lists', changes: ['primary'] as const },
    { older, writing, newer: 'the target lists', changes: ['secondary'] as const },
  ]),
)('after a baseline from hubs as $older nothing is planned when $newer as now', async ({ writing, changes }) => {
  const engine = createEngine();
  const sources = someSources();
  const list = (hub: 'primary' | 'secondary', as: Writing): void => {
    for (const [id, source] of sources) engine[hub].rows.set(id, write(source, as));
  };
  for (const hub of ['primary', 'secondary'] as const) list(hub, writing);
  await backUp(engine);
  await restore(engine);
  for (const hub of changes) list(hub, writings['listed now']);
  await backUp(engine);
  const view = await restore(engine);
  const { total } = view.counts;
  expect(view).toMatchObject({ status: 'Succeeded', counts: { unchanged: total }, passes: 1 });
  expect(total).toBeGreaterThan(10);
  expect(engine.secondary.writes).toEqual([]);
});

test.each(Object.keys(writings))('a snapshot as it was %s changes nothing in a hub that lists as now', async (name) => {
  const older = Object.entries(writings).find(([one]) => one === name)?.[1] ?? writings['listed now'];
  const engine = createEngine();
  for (const [id, source] of someSources()) {
    engine.primary.rows.set(id, write(source, older));
    engine.secondary.rows.set(id, write(source, writings['listed now']));
  }
  await backUp(engine);
  const view = await restore(engine);
  expect(view).toMatchObject({ status: 'Succeeded', counts: { unchanged: view.counts.total, failed: 0 } });
  expect(engine.secondary.writes).toEqual([]);
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});
