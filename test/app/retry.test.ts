import { expect, test } from 'vitest';
import { cancelRestore } from '../../src/app/restore/outcomes/cancel.ts';
import { reportRestore } from '../../src/app/restore/report.ts';
import { askForRetry, startRetry } from '../../src/app/restore/retry.ts';
import { startRollback } from '../../src/app/restore/rollback.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { declareRole } from '../../src/app/runs/declare-role.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { renderReport } from '../../src/core/restore/report.ts';
import { aBackedUp, backUp, beginRestore, codeOf, contentOf, restore } from '../support/drive.ts';
import type { Engine } from '../support/engine.ts';
import { anAppleRow, anInstallation, tokenOf } from '../support/rows.ts';

async function retry(engine: Engine, id: string) {
  const run = await startRetry(engine.app, id);
  await engine.drain();
  return readRestoreView(engine.app, run.id);
}

/** The hub refuses these installations until it is switched. */
function refuse(engine: Engine, ids: readonly string[]): void {
  engine.secondary.intercept = (_kind, id) =>
    ids.includes(id) ? { kind: 'rejected', status: 400, reason: 'Rejected' } : undefined;
}

/** The second write is answered and has no effect; the restore is cancelled during the last of that many. */
async function loseOneWriteAndCancel(engine: Engine, id: string, lastWrite: number): Promise<void> {
  let writes = 0;
  engine.secondary.intercept = () => {
    writes += 1;
    if (writes === lastWrite) void cancelRestore(engine.app, id);
    return writes === 2 ? { kind: 'written' } : undefined;
  };
  await engine.drain();
}

test('a retry restores what failed, and looks at nothing else', async () => {
  const engine = await aBackedUp(30);
  refuse(engine, ['device-2', 'device-4']);
  const first = await restore(engine, { note: 'INC-1' });
  expect(first).toMatchObject({ status: 'Failed', counts: { created: 28, failed: 2 } });
  expect(first.nextActions.map((action) => action.name)).toEqual([
    'failures',
    'retry',
    'report',
    'restoreAgain',
    'rollback',
  ]);
  refuse(engine, ['device-4']);
  engine.secondary.writes.length = 0;
  const second = await retry(engine, first.id);
  expect(second).toMatchObject({
    status: 'Failed',
    purpose: 'retry',
    of: first.id,
    note: 'INC-1',
    counts: { total: 2, created: 1, failed: 1 },
  });
  refuse(engine, []);
  const third = await retry(engine, second.id);
  expect(third).toMatchObject({ status: 'Succeeded', of: second.id, counts: { total: 1, created: 1 } });
  expect(engine.secondary.writes).toEqual(['installation device-2', 'installation device-4']);
  expect(await codeOf(startRetry(engine.app, third.id))).toBe('NothingToRetry');
  for (const { id } of [first, second]) {
    const view = await readRestoreView(engine.app, id);
    expect(view.retriedBy).toBe(third.id);
    expect(view.nextActions.map(({ name }) => name)).toEqual(['failures', 'report', 'rollback']);
  }
  await expect(askForRetry(engine.app, first.id, {}, undefined)).rejects.toMatchObject({
    code: 'NothingToRetry',
    message: expect.stringContaining(`is completed: retry ${third.id} did what it left out`),
  });
  const page = renderReport(await reportRestore(engine.app, first.id));
  expect(page).toContain('Incomplete, then completed by a retry');
  expect(page).toContain(`| completed | retry ${third.id} has put in place what was left out |`);
  expect(page).not.toContain('notification-hubs-dr retry');
  await startRollback(engine.app, third.id, { confirm: 'three/devices' });
  await engine.drain();
  expect((await readRestoreView(engine.app, first.id)).retriedBy).toBeUndefined();
});

test('a retry of a cancelled restore restores what was not come to, within its selection', async () => {
  const engine = await aBackedUp(30);
  const { run } = await startRestore(engine.app, parseRestoreRequest('{"only":{"tags":"plain"}}'));
  expect(await codeOf(startRetry(engine.app, run.id))).toBe('RunNotOver');
  await cancelRestore(engine.app, run.id);
  await engine.drain();
  const early = await startRetry(engine.app, run.id);
  await cancelRestore(engine.app, early.id);
  expect(await retry(engine, early.id)).toMatchObject({ status: 'Succeeded', counts: { total: 15, created: 15 } });
});

test('a retry looks at all that a cancelled restore has not looked at again, and writes nothing twice', async () => {
  const engine = await aBackedUp(30);
  const { run } = await startRestore(engine.app, parseRestoreRequest(''));
  let writes = 0;
  engine.secondary.intercept = () => {
    writes += 1;
    if (writes === 12) void cancelRestore(engine.app, run.id);
    return undefined;
  };
  await engine.drain();
  const dead = await readRestoreView(engine.app, run.id);
  expect(dead).toMatchObject({ status: 'Canceled' });
  const again = await retry(engine, run.id);
  expect(again.status).toBe('Succeeded');
  const completed = await readRestoreView(engine.app, run.id);
  expect(completed.retriedBy).toBe(again.id);
  expect(completed.nextActions.map(({ name }) => name)).toEqual(['report', 'rollback']);
  expect(await codeOf(askForRetry(engine.app, run.id, {}, undefined))).toBe('NothingToRetry');
  expect(dead.counts.created).toBeGreaterThan(0);
  expect(dead.counts.pending).toBe(30 - dead.counts.created);
  expect(again.counts).toMatchObject({ total: 30, created: dead.counts.pending, unchanged: dead.counts.created });
  expect(engine.secondary.rows.size).toBe(45);
  expect(new Set(engine.secondary.writes).size).toBe(engine.secondary.writes.length);
});

test('a retry writes again what a cancelled restore had written to no effect', async () => {
  const engine = await aBackedUp(30);
  const id = await beginRestore(engine.app);
  await loseOneWriteAndCancel(engine, id, 10);
  engine.advance(600_000);
  expect(await retry(engine, id)).toMatchObject({ status: 'Succeeded', counts: { total: 30 } });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

test('a restore that is cancelled after its last write can be retried', async () => {
  const engine = await aBackedUp(30);
  const id = await beginRestore(engine.app);
  await loseOneWriteAndCancel(engine, id, 30);
  const dead = await readRestoreView(engine.app, id);
  expect(dead).toMatchObject({ status: 'Canceled', counts: { created: 30, failed: 0, pending: 0 } });
  expect(dead.nextActions.map(({ name }) => name)).toContain('retry');
  engine.advance(600_000);
  expect(await retry(engine, id)).toMatchObject({ status: 'Succeeded', counts: { created: 1, unchanged: 29 } });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

test('a dry run and a run that is not there cannot be retried', async () => {
  const engine = await aBackedUp(30);
  const { id } = await restore(engine, { dryRun: true });
  expect(await codeOf(startRetry(engine.app, id))).toBe('NothingToRetry');
  expect(await codeOf(startRetry(engine.app, 'unknown'))).toBe('RunNotFound');
});

test('a target that came into use since has to be named, unless the restore that is retried has brought it into use', async () => {
  const confirm = 'three/devices';
  // The role may be declared by a host whose clock is behind.
  for (const [activate, lagMs] of [
    [false, 0],
    [false, 120_000],
    [true, 0],
  ] as const) {
    const engine = await aBackedUp(8);
    refuse(engine, ['device-2']);
    const { id } = await restore(engine, activate ? { activate, confirm } : {});
    refuse(engine, []);
    engine.advance(60_000);
    if (activate) {
      expect(await retry(engine, id)).toMatchObject({ status: 'Succeeded' });
      continue;
    }
    const storageNow = (): number => engine.app.world.storageNow() - lagMs;
    await declareRole({ ...engine.app, world: { ...engine.app.world, storageNow } }, { active: 'secondary', confirm });
    const before = contentOf(engine.secondary);
    expect(await codeOf(startRetry(engine.app, id))).toBe('ConfirmationMissing');
    expect(await codeOf(startRetry(engine.app, id, { confirm: 'one/devices' }))).toBe('ConfirmationMissing');
    expect(contentOf(engine.secondary)).toEqual(before);
    const { id: named } = await startRetry(engine.app, id, { confirm });
    await engine.drain();
    expect(await readRestoreView(engine.app, named)).toMatchObject({ status: 'Succeeded', counts: { created: 1 } });
  }
});

test('a retry into the hub in use needs its name, whatever made it so, and says how much it is about', async () => {
  const confirm = 'three/devices';
  for (const activate of [true, false]) {
    const engine = await aBackedUp(8);
    refuse(engine, ['device-2']);
    const { id } = await restore(engine, activate ? { activate, confirm } : {});
    refuse(engine, []);
    if (!activate) await declareRole(engine.app, { active: 'secondary', confirm });
    const { nextActions } = await readRestoreView(engine.app, id);
    expect(nextActions.filter((one) => one.writesToHubInUse).map(({ name }) => name)).toContain('retry');
    const before = contentOf(engine.secondary);
    await expect(askForRetry(engine.app, id, {}, undefined)).rejects.toMatchObject({
      code: 'ConfirmationMissing',
      message: `The target is three/devices, the hub in use. The retry writes 1 record at most, which ${id} left out. If that is meant, repeat this full name after --confirm.`,
    });
    expect(contentOf(engine.secondary)).toEqual(before);
    const { id: named } = await askForRetry(engine.app, id, { confirm }, undefined);
    await engine.drain();
    expect(await readRestoreView(engine.app, named)).toMatchObject({ status: 'Succeeded', counts: { created: 1 } });
  }
  const engine = await aBackedUp(8);
  refuse(engine, ['device-2']);
  const { id } = await restore(engine);
  expect((await askForRetry(engine.app, id, {}, undefined)).request.purpose).toBe('retry');
});

test('a retry withdraws nothing that its restore left, and that keeps another record of its device out', async () => {
  const engine = await aBackedUp();
  await restore(engine);
  const former = anAppleRow({ id: '19-5-1', tags: ['plain', 'n1'] });
  engine.primary.rows.delete('19-5-1');
  for (const [id, xml] of anInstallation('upgraded', { token: tokenOf('19-5-1') })) engine.primary.rows.set(id, xml);
  for (const [id, xml] of anInstallation('refused')) engine.primary.rows.set(id, xml);
  await backUp(engine);
  // The source holds it still, as a listing that passed over it would have it.
  engine.primary.rows.set('19-5-1', former);
  refuse(engine, ['refused']);
  const first = await restore(engine);
  expect(first).toMatchObject({ status: 'Failed', counts: { failed: 1, leftover: 1, conflict: 1, withdrawn: 0 } });
  engine.primary.rows.delete('19-5-1');
  refuse(engine, []);
  expect(await retry(engine, first.id)).toMatchObject({ status: 'Succeeded', counts: { created: 1, withdrawn: 0 } });
  expect(engine.secondary.rows.has('19-5-1')).toBe(true);
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { created: 1, withdrawn: 1 } });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});
