import { expect, test } from 'vitest';
import { readStatus } from '../../src/app/readiness/status.ts';
import { reportRestore } from '../../src/app/restore/report.ts';
import { startRetry } from '../../src/app/restore/retry.ts';
import { readSnapshotView } from '../../src/app/snapshots/view.ts';
import { renderReport } from '../../src/core/restore/report.ts';
import { aBackedUp, backUp, restore, seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import { anAppleRow } from '../support/rows.ts';
import { HOUR_MS } from '../support/sync.ts';

const TO_THREE = { activate: true, confirm: 'three/devices' };
const DEVICES = 24;

async function failedOver(
  engine = createEngine(),
): Promise<Engine & { readonly id: string; readonly snapshot: string }> {
  seed(engine, DEVICES);
  const snapshot = await backUp(engine);
  const { id } = await restore(engine, TO_THREE);
  engine.advance(60_000);
  return { ...engine, id, snapshot };
}

/** Its app registers again, with the same words. */
function registerAgain({ secondary }: Engine, id: string): void {
  const row = secondary.rows.get(id) ?? '';
  secondary.rows.set(
    id,
    row.replace(/<ETag>(\d+)<\/ETag>/, (_, etag: string) => `<ETag>${Number(etag) + 1}</ETag>`),
  );
}

test('each backup after a failover tells how many of the devices from before have registered in the hub in use', async () => {
  const engine = await failedOver();
  expect((await readStatus(engine.app)).coverage).toBeNull();
  const first = await backUp(engine);
  const none = { of: engine.id, total: DEVICES, registered: 0, restored: DEVICES, missing: 0, percent: 0 };
  expect((await readStatus(engine.app)).coverage).toEqual(none);
  registerAgain(engine, '19-5-1');
  registerAgain(engine, '59-5-1');
  engine.secondary.rows.delete('39-5-1');
  engine.secondary.rows.set('999-5-1', anAppleRow({ id: '999-5-1' }));
  engine.advance(HOUR_MS);
  const second = await backUp(engine);
  const some = { ...none, registered: 2, restored: DEVICES - 3, missing: 1, percent: 8 };
  expect(await readSnapshotView(engine.app, first)).toMatchObject({ coverage: none });
  expect(await readSnapshotView(engine.app, second)).toMatchObject({ coverage: some });
  const report = renderReport(await reportRestore(engine.app, engine.id));
  expect(report).toContain(`| ${first} | 0 (0 %) | 24 | 0 |\n| ${second} | 2 (8 %) | 21 | 1 |`);
});

test('syncs back into the old hub, and other numbers of shards, change nothing about it', async () => {
  const engine = await failedOver(createEngine({ policy: { standbySync: 'afterBackup' } }));
  registerAgain(engine, '19-5-1');
  for (let backups = 0; backups < 4; backups++) {
    engine.advance(HOUR_MS);
    await backUp(engine);
  }
  expect((await readStatus(engine.app)).coverage).toMatchObject({ registered: 1, restored: DEVICES - 1 });
});

test('what a retry writes is not counted as registered', async () => {
  const engine = createEngine();
  engine.secondary.intercept = (_kind, id) =>
    id === '19-5-1' ? { kind: 'rejected', status: 400, reason: 'Rejected' } : undefined;
  const { id, app } = await failedOver(engine);
  await backUp(engine);
  expect((await readStatus(app)).coverage).toMatchObject({ registered: 0, missing: 1 });
  engine.secondary.intercept = () => undefined;
  await startRetry(app, id, { confirm: 'three/devices' });
  await engine.drain();
  engine.advance(HOUR_MS);
  await backUp(engine);
  expect((await readStatus(app)).coverage).toMatchObject({
    registered: 0,
    restored: DEVICES,
    rewritten: 1,
    missing: 0,
  });
  const report = renderReport(await reportRestore(app, id));
  expect(report).toContain('| at least 0 (0 %) | 24, 1 of them written since by a restore or a device | 0 |');
});

test('what a retry of a later restore writes does not count for records that have gone', async () => {
  const engine = await failedOver();
  for (const id of ['19-5-1', '39-5-1']) engine.secondary.rows.delete(id);
  engine.secondary.intercept = () => ({ kind: 'rejected', status: 400, reason: 'Rejected' });
  const again = { target: 'secondary', confirm: 'three/devices', resurrect: true } as const;
  const { id } = await restore(engine, { ...again, snapshot: engine.snapshot });
  engine.secondary.intercept = () => undefined;
  await startRetry(engine.app, id, { confirm: 'three/devices' });
  await engine.drain();
  for (const gone of ['59-5-1', '79-5-1']) engine.secondary.rows.delete(gone);
  engine.advance(HOUR_MS);
  await backUp(engine);
  expect((await readStatus(engine.app)).coverage).toMatchObject({ restored: DEVICES - 2, missing: 2 });
});

test('without a failover there is none', async () => {
  const engine = await aBackedUp();
  expect((await readStatus(engine.app)).coverage).toBeNull();
});
