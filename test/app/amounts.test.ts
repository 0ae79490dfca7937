import { expect, test } from 'vitest';
import { readBackupView } from '../../src/app/backup/view.ts';
import { reportRestore } from '../../src/app/restore/report.ts';
import { readSnapshotView } from '../../src/app/snapshots/view.ts';
import { amountOf } from '../../src/core/snapshot/amount.ts';
import { backUp, restore } from '../support/drive.ts';
import { createEngine } from '../support/engine.ts';
import { anAppleRow, anInstallation, tokenOf } from '../support/rows.ts';

test('backup, snapshot and report say how many devices, records and registrations there are, and how these add up', async () => {
  const engine = createEngine();
  const { app, primary } = engine;
  // Of one device: two installations of two rows each, and a plain registration.
  const token = tokenOf('twin');
  const twins = ['first', 'second'].flatMap((id) => anInstallation(id, { token }));
  for (const [id, xml] of [...twins, ...anInstallation('alone')]) primary.rows.set(id, xml);
  primary.rows.set('0-1-1', anAppleRow({ id: '0-1-1', token }));
  // Of another: three times the same, and once with another tag.
  for (const id of ['1-1-1', '2-1-1', '3-1-1', '4-1-1']) {
    primary.rows.set(id, anAppleRow({ id, token: tokenOf('plain'), tags: id === '4-1-1' ? ['b'] : ['a'] }));
  }
  const snapshotId = await backUp(engine);
  const amount = '3 devices = 5 records = 11 registrations, 2 of them duplicates';
  expect(await readSnapshotView(app, snapshotId)).toMatchObject({ amount, counts: { devices: 3, duplicates: 2 } });
  expect(await readBackupView(app, snapshotId)).toMatchObject({ result: { amount } });
  const restored = await restore(engine);
  expect(restored).toMatchObject({ status: 'Succeeded', counts: { total: 5 }, duplicatesCollapsed: 2 });
  expect(await reportRestore(app, restored.id)).toMatchObject({ snapshot: { amount } });
});

test.each([
  [
    { devices: 1, records: 1, registrations: 2, duplicates: 1 },
    '1 device = 1 record = 2 registrations, 1 of them a duplicate',
  ],
  [
    { devices: 2000, records: 2033, registrations: 2327, duplicates: 0 },
    '2,000 devices = 2,033 records = 2,327 registrations',
  ],
  [{ records: 2033, registrations: 2327 }, '2,033 records = 2,327 registrations'],
])('of %j it says no more than is known', (counts, amount) => {
  expect(amountOf(counts)).toBe(amount);
});
