import { expect, test } from 'vitest';
import { cancelRestore } from '../../src/app/restore/outcomes/cancel.ts';
import { startRetry } from '../../src/app/restore/retry.ts';
import { startRollback } from '../../src/app/restore/rollback.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { DrError } from '../../src/core/errors.ts';
import { runName } from '../../src/core/paths.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { newRunId } from '../../src/core/run/run.ts';
import { aBackedUp, backUp, beginRestore, codeOf, contentOf, restore, runUntilWritten } from '../support/drive.ts';
import type { Engine } from '../support/engine.ts';
import { applyLate } from '../support/late-hub.ts';
import { anAppleRow, anInstallation, tokenOf } from '../support/rows.ts';

const confirm = 'three/devices';

async function rollBack(engine: Engine, id: string, how: object = {}) {
  const run = await startRollback(engine.app, id, { confirm, ...how });
  await engine.drain();
  return readRestoreView(engine.app, run.id);
}

function speak({ rows }: Engine['primary'], id: string): void {
  const tags = ['spoke again'];
  const own = id.startsWith('device')
    ? anInstallation(id, { tags })
    : [[id, anAppleRow({ id, token: tokenOf(id), tags })]];
  for (const [rowId = '', xml = ''] of own) rows.set(rowId, xml.replace('<ETag>1<', '<ETag>2<'));
}

function leave({ rows }: Engine['primary'], id: string): void {
  for (const [rowId, xml] of rows) if (rowId === id || xml.includes(`$InstallationId:{${id}}`)) rows.delete(rowId);
}

/** A restore, and a newer one that updates two devices, withdraws two and creates one. */
async function aRestoreAndANewerOne(refusesForeignIds = false) {
  const engine = await aBackedUp(12, { refusesForeignIds });
  const older = await restore(engine);
  for (const id of ['19-5-1', 'device-2']) speak(engine.primary, id);
  for (const id of ['39-5-1', 'device-4']) leave(engine.primary, id);
  engine.primary.rows.set('7-7-7', anAppleRow({ id: '7-7-7', token: tokenOf('new') }));
  await backUp(engine);
  const newer = await restore(engine);
  expect(newer.counts).toMatchObject({ updated: 2, withdrawn: 2, created: 1 });
  return { engine, older: older.id, newer: newer.id };
}

test('what a newer restore wrote under the same ids is not removed with an older one', async () => {
  const engine = await aBackedUp(12);
  const { id: older } = await restore(engine);
  engine.secondary.rows.clear();
  const { id: newer, counts } = await restore(engine);
  expect(counts).toMatchObject({ created: 12 });
  const before = new Map(engine.secondary.rows);
  const refusal: unknown = await startRollback(engine.app, older, { confirm }).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(DrError);
  expect(refusal).toMatchObject({ code: 'NewerRunExists', target: newer });
  // Registrations and installations have the ids, versions and contents again that the older one gave them.
  expect(await rollBack(engine, older, { keepNewer: true })).toMatchObject({
    status: 'Succeeded',
    counts: { total: 0, removed: 0 },
    warnings: [expect.stringContaining(newer)],
  });
  expect(engine.secondary.rows).toEqual(before);
  expect(await rollBack(engine, newer)).toMatchObject({ counts: { removed: 12 } });
  expect(engine.secondary.rows.size).toBe(0);
});

test('rolled back newest first, two restores leave the hub as it was before both', async () => {
  for (const refusesForeignIds of [false, true]) {
    const { engine, older, newer } = await aRestoreAndANewerOne(refusesForeignIds);
    expect(await rollBack(engine, newer)).toMatchObject({ counts: { putBack: 4, removed: 1 } });
    expect(await rollBack(engine, older)).toMatchObject({ status: 'Succeeded', counts: { removed: 12, keptLive: 0 } });
    expect([...engine.secondary.rows]).toEqual([]);
  }
});

test('a device that lives there twice does so again, where the rollback of the newer one put one of them back', async () => {
  for (const change of [speak, leave]) {
    const engine = await aBackedUp(12);
    const plain = anAppleRow({ id: '7-7-7', token: tokenOf('device-2'), tags: ['plain'] });
    engine.primary.rows.set('7-7-7', plain);
    await backUp(engine);
    await restore(engine);
    const before = contentOf(engine.secondary);
    engine.primary.rows.delete('7-7-7');
    await backUp(engine);
    const older = await restore(engine);
    change(engine.primary, 'device-2');
    await backUp(engine);
    const newer = await restore(engine);
    expect([older.counts.withdrawn, newer.counts.updated + newer.counts.withdrawn]).toEqual([1, 1]);
    expect(await rollBack(engine, newer.id)).toMatchObject({ counts: { putBack: 1 } });
    expect(await rollBack(engine, older.id)).toMatchObject({
      status: 'Succeeded',
      counts: { putBack: 1, keptLive: 0 },
    });
    expect(contentOf(engine.secondary)).toEqual(before);
  }
});

test('also where the hub was late, and the newer rollback put back some of it twice', async () => {
  const { engine, older, newer } = await aRestoreAndANewerOne();
  applyLate(engine, () => 35_000);
  const applyAll = () => {
    engine.advance(600_000);
    return engine.secondary.listPage(undefined, { deadlineAt: 0 });
  };
  expect(await rollBack(engine, newer)).toMatchObject({ counts: { putBack: 4 } });
  await applyAll();
  expect(await rollBack(engine, older)).toMatchObject({ status: 'Succeeded', counts: { removed: 12, keptLive: 0 } });
  await applyAll();
  expect([...engine.secondary.rows]).toEqual([]);
});

test('a device that speaks after the newer one was rolled back keeps what it said', async () => {
  const { engine, older, newer } = await aRestoreAndANewerOne();
  await rollBack(engine, newer);
  const { rows } = engine.secondary;
  const own = anAppleRow({ id: '19-5-1', token: tokenOf('19-5-1'), tags: ['its own'], etag: 9 });
  rows.set('19-5-1', own);
  expect(await rollBack(engine, older)).toMatchObject({ counts: { removed: 11, keptLive: 1 } });
  expect([...rows]).toEqual([['19-5-1', own]]);
});

test('a restore that is rolled back beside a newer one leaves what that wrote or overwrote', async () => {
  const { engine, older, newer } = await aRestoreAndANewerOne();
  expect(await codeOf(startRollback(engine.app, older, { confirm }))).toBe('NewerRunExists');
  expect(await rollBack(engine, older, { keepNewer: true })).toMatchObject({ counts: { total: 8, removed: 8 } });
  // Two plain rows, and two of an installation.
  expect(engine.secondary.rows.size).toBe(4);
  const before = contentOf(engine.secondary);
  expect(await rollBack(engine, older, { keepNewer: true })).toMatchObject({ counts: { total: 8, unchanged: 8 } });
  expect(contentOf(engine.secondary)).toEqual(before);
  // What was overwritten is there again, and is the older one's.
  expect(await rollBack(engine, newer)).toMatchObject({ status: 'Succeeded' });
  expect(await rollBack(engine, older)).toMatchObject({ status: 'Succeeded', counts: { removed: 4 } });
  expect([...engine.secondary.rows]).toEqual([]);
});

test('a newer one that was stopped while it wrote is in the way; one that wrote nothing, or a dry run, is not', async () => {
  const engine = await aBackedUp(12);
  const { id: older } = await restore(engine);
  await restore(engine);
  leave(engine.secondary, '19-5-1');
  await restore(engine, { dryRun: true });
  const early = await beginRestore(engine.app);
  await cancelRestore(engine.app, early);
  await engine.drain();
  const rollback = await startRollback(engine.fork().app, older, { confirm });
  expect(rollback.newer).toEqual([]);
  const stopped = await beginRestore(engine.app, { resurrect: true });
  await runUntilWritten(engine);
  await cancelRestore(engine.app, stopped);
  await engine.drain();
  engine.advance(600_000);
  const refused = startRollback(engine.app, older, { confirm });
  await expect(refused).rejects.toMatchObject({ code: 'NewerRunExists', target: stopped });
  await rollBack(engine, stopped);
  expect(await rollBack(engine, older)).toMatchObject({ status: 'Succeeded', counts: { keptLive: 0 } });
  expect([...engine.secondary.rows]).toEqual([]);
});

test('a retry belongs to its restore: either can be rolled back first, and leaves what the other wrote', async () => {
  for (const isRetryFirst of [false, true]) {
    const engine = await aBackedUp(12);
    engine.secondary.intercept = (_kind, id) =>
      id === 'device-2' ? { kind: 'rejected', status: 400, reason: 'Rejected' } : undefined;
    const first = await restore(engine);
    engine.secondary.intercept = () => undefined;
    const { id: retry } = await startRetry(engine.app, first.id);
    await engine.drain();
    for (const id of isRetryFirst ? [retry, first.id] : [first.id, retry]) {
      expect(await rollBack(engine, id)).toMatchObject({ counts: { removed: id === retry ? 1 : 11, keptLive: 0 } });
    }
    expect([...engine.secondary.rows]).toEqual([]);
  }
});

test('a newer run that cannot be read may have written what the older one did: nothing is rolled back', async () => {
  const engine = await aBackedUp(12);
  const { id: older } = await restore(engine);
  engine.secondary.rows.clear();
  engine.advance(60_000);
  const { id: newer } = await restore(engine);
  await engine.blobs.put(runName('restore', newer), Buffer.from('damaged'), 'any');
  for (const how of [{}, { keepNewer: true }]) {
    const refused = startRollback(engine.app, older, { confirm, ...how });
    await expect(refused).rejects.toMatchObject({
      code: 'StoredDocumentInvalid',
      target: expect.stringContaining(newer),
    });
  }
});

test('a newer run is in the way also under an id that a slow clock made', async () => {
  const engine = await aBackedUp(12);
  const { id: older } = await restore(engine);
  engine.secondary.rows.clear();
  engine.advance(60_000);
  const newer = newRunId(engine.app.world.now() - 3_600_000, 'abcdef');
  await startRestore(engine.app, parseRestoreRequest('{}'), { id: newer });
  await engine.drain();
  const refused = startRollback(engine.app, older, { confirm });
  await expect(refused).rejects.toMatchObject({ code: 'NewerRunExists', target: newer });
});
