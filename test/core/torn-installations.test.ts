import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isInPlace, isPartial } from '../../src/core/registration/expected.ts';
import { groupRows, type RecordOfRows } from '../../src/core/registration/record.ts';
import { parseRegistration } from '../../src/core/registration/registration.ts';
import { planCreation } from '../../src/core/restore/plan/first-writes.ts';
import { planAgain } from '../../src/core/restore/plan/later-pass.ts';
import { planRemoval } from '../../src/core/restore/plan/removal.ts';
import { createMemoryHub, type MemoryHub } from '../support/memory-hub.ts';
import { runs } from '../support/property-runs.ts';

const deadlineAt = 0;
const options = { expiryFloorAtMs: 0, livesElsewhere: () => false, mintedFor: () => [] };
const ofNothing = { isTargetEmpty: true, elsewhere: { isTaken: () => false, oursUnder: () => [] } };

const someTags = fc.uniqueArray(fc.constantFrom('a', 'b', 'C', 'd', 'user:1'), { maxLength: 3 });
const someTemplate = fc.record({ body: fc.constantFrom('{}', '{"a":1}'), tags: someTags });
const someInstallation = fc.record(
  {
    platform: fc.constantFrom('apns', 'fcmv1'),
    pushChannel: fc.constantFrom('AA', 'bb'),
    userId: fc.constantFrom('u1', 'u2'),
    tags: someTags,
    pushVariables: fc.constantFrom({ x: '1' }, { x: '2' }),
    templates: fc.dictionary(fc.constantFrom('one', 'Two', 'three'), someTemplate, { maxKeys: 3 }),
  },
  { requiredKeys: ['platform', 'pushChannel'] },
);

function aHub(): MemoryHub {
  return createMemoryHub({ ref: { namespace: 'one', hub: 'devices' } });
}

function recordIn(rows: Iterable<string>): RecordOfRows {
  const [record] = groupRows([...rows].map(parseRegistration)).records;
  if (record === undefined) throw new Error('There are no rows.');
  return record;
}

async function rowsOf(body: object): Promise<string[]> {
  const hub = aHub();
  await hub.putInstallation('app', JSON.stringify(body), { deadlineAt });
  return [...hub.rows.values()];
}

/** What lives in an empty hub once the record was written there. */
async function restored(record: RecordOfRows): Promise<RecordOfRows> {
  const writes = planCreation(record, { ...options, ...ofNothing });
  if (typeof writes === 'string') throw new Error(`It cannot be written: ${writes}.`);
  const hub = aHub();
  for (const write of writes) {
    if (write.kind === 'installation') await hub.putInstallation(write.id, write.json, { deadlineAt });
  }
  return recordIn(hub.rows.values());
}

test('whatever of an installation was listed, what its body gives is in place, and taken back as such', async () => {
  await fc.assert(
    fc.asyncProperty(someInstallation, fc.nat(), async (body, mask) => {
      const rows = await rowsOf(body);
      const listed = rows.filter((_, index) => ((mask >> index) & 1) === 1);
      const record = recordIn(listed.length === 0 ? rows : listed);
      const live = await restored(record);
      expect(isInPlace(record, live)).toBe(true);
      expect(isPartial(live)).toBe(false);
      expect(planAgain(record, live, options)).toMatchObject({ kind: 'unchanged' });
      expect(planRemoval(record, live, {}, () => [])).toMatchObject({ kind: 'remove' });
      // Nothing less is in place.
      for (const missing of live.rows.keys()) {
        const rest = live.rows.filter((_, index) => index !== missing);
        if (rest.length > 0) expect(isInPlace(record, { ...live, rows: rest })).toBe(false);
      }
    }),
    { numRuns: runs(600) },
  );
});

test('rows listed before and after an installation was written give one body, whose rows are in place', async () => {
  await fc.assert(
    fc.asyncProperty(someInstallation, someInstallation, fc.nat(), async (before, after, mask) => {
      const [older, newer] = [await rowsOf(before), await rowsOf(after)];
      const renamed = newer.map((xml) => xml.replace(/<RegistrationId>/, '<RegistrationId>9'));
      const rows = [...older, ...renamed].filter((_, index) => ((mask >> index) & 1) === 1);
      const record = recordIn(rows.length === 0 ? older : rows);
      expect(isInPlace(record, await restored(record))).toBe(true);
    }),
    { numRuns: runs(600) },
  );
});

test('a change by the device is seen, also where the snapshot’s installation is torn', async () => {
  const body = { platform: 'apns', pushChannel: 'AA', tags: ['a'], templates: { one: { body: '{}', tags: ['b'] } } };
  const [, templated = ''] = await rowsOf(body);
  const record = recordIn([templated]);
  expect(isPartial(record)).toBe(true);
  const changes = [
    { ...body, tags: ['c'] },
    { ...body, pushChannel: 'BB' },
    { ...body, userId: 'u' },
    { ...body, templates: { one: { body: 'other', tags: ['b'] } } },
    { ...body, templates: {} },
  ];
  for (const changed of changes) expect(isInPlace(record, recordIn(await rowsOf(changed)))).toBe(false);
});
