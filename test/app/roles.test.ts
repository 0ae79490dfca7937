import { describe, expect, it } from 'vitest';
import { startRollback } from '../../src/app/restore/rollback.ts';
import { noteRoles, readRoles } from '../../src/app/runs/roles.ts';
import { findRun } from '../../src/app/runs/store.ts';
import { listSnapshotViews } from '../../src/app/snapshots/view.ts';
import { termsOf } from '../../src/core/run/role.ts';
import { aBackedUp, aRehearsed, backUp, codeOf, contentOf, restore, seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import { register } from '../support/rows.ts';

/** Both hubs agree on 24 devices. */
/** Primary and secondary exchanged in the settings, and backed up. `primary` is still the hub that it was. */
async function exchange(engine: Engine): Promise<Engine> {
  const exchanged = engine.fork(({ primary, secondary }) => ({ primary: secondary, secondary: primary }));
  await backUp(exchanged);
  return exchanged;
}

describe('a restore into the hub that was in use before', () => {
  it('leaves out what its devices deleted there', async () => {
    const engine = await aRehearsed();
    engine.primary.rows.delete('19-5-1');
    const exchanged = await exchange(engine);
    const view = await restore(exchanged);
    expect(view).toMatchObject({ status: 'Succeeded', counts: { goneInTarget: 1, unchanged: 23 }, absenceVoid: 0 });
    expect(view.warnings).toContainEqual(expect.stringContaining('It has been in use'));
    expect(await restore(exchanged)).toMatchObject({ counts: { goneInTarget: 1, created: 0 } });
  });

  it('creates it where its device has registered in the hub in use since', async () => {
    const engine = await aRehearsed();
    engine.primary.rows.delete('19-5-1');
    register(engine.secondary, '19-5-1', ['moved']);
    const exchanged = await exchange(engine);
    expect(await restore(exchanged)).toMatchObject({ counts: { created: 1, goneInTarget: 0 } });
  });

  it('creates it when asked to', async () => {
    const engine = await aRehearsed();
    engine.primary.rows.delete('19-5-1');
    const exchanged = await exchange(engine);
    expect(await restore(exchanged, { resurrect: true })).toMatchObject({ counts: { created: 1, goneInTarget: 0 } });
  });

  it('fills it where most of it is missing', async () => {
    const engine = await aRehearsed();
    engine.primary.rows.clear();
    register(engine.primary, '990-5-1', ['first']);
    const exchanged = await exchange(engine);
    const view = await restore(exchanged);
    expect(view).toMatchObject({ counts: { created: 24, goneInTarget: 0 }, absenceVoid: 24 });
    expect(view.warnings).toContainEqual(expect.stringContaining('That is more than it still holds'));
  });

  it('updates a device that the restore before did not meet, while its row there is as in its last backup', async () => {
    const engine = await aRehearsed();
    register(engine.primary, '990-5-1', ['old']);
    register(engine.primary, '991-5-1', ['old']);
    await backUp(engine);
    register(engine.primary, '991-5-1', ['since the backup']);
    register(engine.secondary, '990-5-1', ['new']);
    register(engine.secondary, '991-5-1', ['new']);
    const exchanged = await exchange(engine);
    expect(await restore(exchanged)).toMatchObject({ counts: { updated: 1, conflict: 1, unchanged: 24 } });
    expect(exchanged.primary.rows.get('990-5-1')).toContain('<Tags>new</Tags>');
    expect(exchanged.primary.rows.get('991-5-1')).toContain('<Tags>since the backup</Tags>');
  });

  it('remembers a record that neither look has shown: one may have passed over it', async () => {
    const engine = await aRehearsed();
    engine.primary.rows.delete('19-5-1');
    const row = engine.secondary.rows.get('19-5-1') ?? '';
    engine.secondary.rows.delete('19-5-1');
    const exchanged = await exchange(engine);
    await restore(exchanged);
    exchanged.secondary.rows.set('19-5-1', row);
    await backUp(exchanged);
    expect(await restore(exchanged)).toMatchObject({ counts: { goneInTarget: 1, created: 0 } });
  });
});

it('a snapshot that was read between a restore and its rollback is restored only when asked for by its id', async () => {
  const engine = await aBackedUp(24, { policy: { suspectDropPercent: 100 } });
  const { id } = await restore(engine);
  const exchanged = await exchange(engine);
  const snapshotId = await backUp(exchanged);
  await startRollback(exchanged.app, id, { confirm: 'three/devices' });
  await exchanged.drain();
  expect(await codeOf(restore(exchanged))).toBe('NoGoodSnapshot');
  const view = await restore(exchanged, { snapshot: snapshotId, dryRun: true });
  const warning = 'it holds devices that were taken back';
  expect(view.warnings).toContainEqual(expect.stringContaining(warning));
  const overwriting = restore(exchanged, { snapshot: snapshotId, onConflict: 'overwrite' });
  await expect(overwriting).rejects.toThrow(warning);
  const listed = await listSnapshotViews(exchanged.app);
  expect(listed.map(({ hub, undone }) => `${hub.namespace} ${undone}`)).toEqual([
    'three true',
    'three true',
    'one false',
  ]);
  register(exchanged.secondary, '990-5-1', ['new']);
  const after = await backUp(exchanged);
  expect(await restore(exchanged)).toMatchObject({ snapshot: { id: after } });
});

it('and what it shows of devices that were taken back is not taken for their later word', async () => {
  const engine = createEngine({ policy: { suspectDropPercent: 100 } });
  seed(engine);
  const older = await backUp(engine);
  register(engine.primary, '19-5-1', ['newer']);
  await backUp(engine);
  const { id } = await restore(engine, { snapshot: older });
  const exchanged = await exchange(engine);
  const snapshot = await backUp(exchanged);
  await startRollback(exchanged.app, id, { confirm: 'three/devices' });
  await exchanged.drain();
  expect(await restore(exchanged, { snapshot })).toMatchObject({ counts: { conflict: 1, updated: 0 } });
  expect(engine.primary.rows.get('19-5-1')).toContain('newer');
});

it('roles exchanged there and back plan nothing where no device has spoken', async () => {
  const engine = await aRehearsed();
  const exchanged = await exchange(engine);
  expect(await restore(exchanged)).toMatchObject({ counts: { unchanged: 24, total: 24 } });
  const back = exchanged.fork();
  await backUp(back);
  expect(await restore(back)).toMatchObject({ counts: { unchanged: 24, total: 24 } });
  expect(contentOf(back.secondary)).toEqual(contentOf(back.primary));
});

it('follows a new handle under its old id on the way back, where the row of the old one was left out there', async () => {
  const engine = await aRehearsed();
  // Until then the first restore's writes are looked at once more.
  engine.advance(600_000);
  register(engine.primary, '19-5-1', ['moved'], 'new phone');
  const exchanged = await exchange(engine);
  expect(await restore(exchanged)).toMatchObject({ counts: { goneInTarget: 1 } });
  const back = exchanged.fork();
  await backUp(back);
  const only = { tags: 'moved' };
  expect(await restore(back, { only })).toMatchObject({ counts: { created: 1, keptLive: 0, total: 1 } });
  expect(contentOf(back.secondary)).toEqual(contentOf(back.primary));
});

it('notes a change of roles once, at the time of the storage, for all runs after it', async () => {
  const engine = await aRehearsed();
  engine.advance(3_600_000);
  const exchanged = engine.fork(({ primary, secondary }) => ({ primary: secondary, secondary: primary }));
  const [{ role }, same] = await Promise.all([noteRoles(exchanged.app), noteRoles(exchanged.app)]);
  expect(same.role).toEqual(role);
  const terms = termsOf(role);
  expect(terms).toMatchObject([
    { hub: { namespace: 'one' }, since: '1970-01-01T00:00:00.000Z' },
    { hub: { namespace: 'three' }, since: new Date(exchanged.app.world.now()).toISOString() },
  ]);
  await backUp(exchanged);
  const { id } = await restore(exchanged);
  expect((await findRun(exchanged.app, 'restore', id)).terms).toEqual(terms);
  expect((await readRoles(exchanged.app)).role.history).toHaveLength(2);
});
