import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chooseRows } from '../../src/core/registration/distinct.ts';
import { rebuildInstallation } from '../../src/core/registration/installation.ts';
import { parseRegistration, type Registration } from '../../src/core/registration/registration.ts';
import { type AppleRowOptions, anAppleRow, tokenOf } from '../support/rows.ts';

const token = tokenOf('phone');
const app = '$InstallationId:{app}';

function aRow(body: string, options: Omit<AppleRowOptions, 'template'>): Registration {
  return parseRegistration(anAppleRow({ token, ...options, template: { name: 'alert', body } }));
}

const native = parseRegistration(anAppleRow({ id: '1-1-1', token, tags: [app, 'news'], etag: 9 }));
const templateTags = [app, 'news', 'alert'];

function bodyIn(rows: readonly Registration[]): string {
  const rebuilt = rebuildInstallation(rows, 0);
  if (typeof rebuilt === 'string') throw new Error(rebuilt);
  return JSON.stringify(rebuilt.body.templates);
}

interface Case {
  readonly older: Omit<AppleRowOptions, 'id' | 'template'>;
  readonly newer: Omit<AppleRowOptions, 'id' | 'template'>;
}

test.each<[string, Case]>([
  ['the row that took the other’s place has fewer updates', { older: { etag: 5 }, newer: { etag: 1 } }],
  [
    'the row that expires later was written later, whatever the ETags',
    {
      older: { etag: 2, expirationTime: '2030-01-01T00:00:00Z' },
      newer: { etag: 7, expirationTime: '2030-02-01T00:00:00Z' },
    },
  ],
  [
    'also with other tags, as an installation has one row for each template',
    { older: { etag: 5, tags: [...templateTags, 'old'] }, newer: { etag: 1, tags: [...templateTags, 'new'] } },
  ],
  ['the current row has the native row’s tags', { older: { etag: 1, tags: [app, 'alert'] }, newer: { etag: 1 } }],
  [
    'whatever the ETags: the older one may be as new as the other',
    { older: { etag: 1, tags: [app, 'sport', 'alert'] }, newer: { etag: 2 } },
  ],
])('of two bodies of one template of an installation the newer one stays: %s', (_, { older, newer }) => {
  for (const [oldId, newId] of [
    ['2-1-1', '3-1-1'],
    ['3-1-1', '2-1-1'],
  ] as const) {
    const rows = [
      native,
      aRow('old', { id: oldId, tags: templateTags, ...older }),
      aRow('new', { id: newId, tags: templateTags, ...newer }),
    ];
    for (const given of [rows, rows.toReversed()]) {
      const chosen = chooseRows(given);
      expect([...chosen.rows.values()].map(({ id }) => id).sort()).toEqual(['1-1-1', newId]);
      expect(chosen).toMatchObject({ duplicates: 0, superseded: 1 });
      expect(bodyIn(given)).toContain('"body":"new"');
    }
  }
});

test('of two bodies of one template of a device the one that expires later stays', () => {
  const rows = [
    aRow('old', { id: '2-1-1', tags: ['a'], etag: 5, expirationTime: '2030-01-01T00:00:00Z' }),
    aRow('new', { id: '3-1-1', tags: ['a'], etag: 1, expirationTime: '2030-01-02T00:00:00Z' }),
  ];
  const chosen = chooseRows(rows);
  expect([...chosen.rows.values()].map(({ id }) => id)).toEqual(['3-1-1']);
  expect(chosen).toMatchObject({ duplicates: 0, superseded: 1 });
});

test('of two bodies of one template of a device both stay where nothing tells which is newer', () => {
  const rows = [aRow('one', { id: '2-1-1', tags: ['a'], etag: 5 }), aRow('other', { id: '3-1-1', tags: ['a'] })];
  expect(chooseRows(rows)).toMatchObject({ duplicates: 0, superseded: 0 });
  expect([...chooseRows(rows).rows.values()]).toEqual(rows);
});

test('equal rows are one, and counted as equal', () => {
  const rows = ['2-1-1', '3-1-1', '4-1-1'].map((id, index) => aRow('same', { id, tags: ['a'], etag: index + 1 }));
  const chosen = chooseRows(rows);
  expect([...chosen.rows.values()].map(({ id }) => id)).toEqual(['4-1-1']);
  expect(chosen).toMatchObject({ duplicates: 2, superseded: 0 });
});

const someRow = fc
  .record({
    isTemplate: fc.boolean(),
    body: fc.constantFrom('a', 'b'),
    tag: fc.constantFrom('x', 'y'),
    etag: fc.nat(3),
    expirationTime: fc.constantFrom('9999-12-31T23:59:59.999Z', '2030-01-01T00:00:00Z', '2031-01-01T00:00:00Z'),
  })
  .map(({ isTemplate, body, tag, ...rest }) => ({
    tag,
    ...rest,
    ...(isTemplate ? { template: { name: 'alert', body } } : {}),
  }));

test('the choice and its counts are the same for any order of rows', () => {
  fc.assert(
    fc.property(fc.array(someRow, { maxLength: 6 }), fc.boolean(), fc.nat(), (given, isInstallation, seed) => {
      const rows = given.map(({ tag, ...rest }, index) =>
        parseRegistration(
          anAppleRow({ id: `${index}-1-1`, token, tags: isInstallation ? [app, tag] : [tag], ...rest }),
        ),
      );
      const turned = [...rows.slice(seed % (rows.length + 1)), ...rows.slice(0, seed % (rows.length + 1))].toReversed();
      const [one, other] = [chooseRows(rows), chooseRows(turned)];
      expect([...one.rows.keys()].sort()).toEqual([...other.rows.keys()].sort());
      expect([other.duplicates, other.superseded]).toEqual([one.duplicates, one.superseded]);
      expect(one.rows.size + one.duplicates + one.superseded).toBe(rows.length);
    }),
  );
});
