import { expect, test } from 'vitest';
import { advanceDrills } from '../../src/app/drill/advance.ts';
import { startDrill } from '../../src/app/drill/start.ts';
import { readDrillView } from '../../src/app/drill/view.ts';
import { reportRestore } from '../../src/app/restore/report.ts';
import { startRollback } from '../../src/app/restore/rollback.ts';
import { readSnapshotView } from '../../src/app/snapshots/view.ts';
import { renderReport } from '../../src/core/restore/report.ts';
import { aBackedUp, backUp, contentOf, restore, runToEnd, seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import { anInstallation } from '../support/rows.ts';

/** A hub whose listing passes over the native rows of two installations, and a backup of it. */
async function tornEngine(): Promise<Engine> {
  const engine = createEngine({ hasScratchHub: true });
  seed(engine, 12);
  for (const name of ['device-0', 'device-2']) {
    const [[native = ''] = []] = anInstallation(name);
    expect(engine.primary.rows.delete(native)).toBe(true);
  }
  await backUp(engine);
  return engine;
}

test('installations without a native row are restored, seen to be in place, counted and said', async () => {
  const engine = await tornEngine();
  const dryRun = await restore(engine, { dryRun: true });
  expect(dryRun.warnings).toEqual([expect.stringContaining('Of 2 installations the snapshot holds templates only')]);
  expect(dryRun).toMatchObject({ partialInstallations: 2, superseded: 0 });
  const view = await restore(engine);
  expect(view).toMatchObject({ status: 'Succeeded', counts: { total: 12, created: 12, failed: 0 }, repaired: 0 });
  expect(view.warnings).toEqual(dryRun.warnings);
  expect(view.partialInstallations).toBe(2);
  expect(renderReport(await reportRestore(engine.app, view.id))).toContain(
    'Installations known by their templates alone, which get the tags that all of these share: 2.',
  );
  expect(await readSnapshotView(engine.app, view.snapshot.id)).toMatchObject({ counts: { partialInstallations: 2 } });
  // The same again finds all of it in place.
  expect(await restore(engine)).toMatchObject({ counts: { unchanged: 12 }, partialInstallations: 2 });
});

test('a rollback takes them back', async () => {
  const engine = await tornEngine();
  const { id } = await restore(engine);
  const rollback = await startRollback(engine.app, id, { confirm: 'three/devices' });
  await runToEnd(engine, 'restore', rollback.id);
  expect(contentOf(engine.secondary)).toEqual([]);
});

test('every drill passes and leaves the scratch hub empty', async () => {
  const engine = await tornEngine();
  for (let count = 0; count < 2; count += 1) {
    const { id } = await startDrill(engine.app, 'http');
    for (let tick = 0; tick < 5; tick += 1) {
      await engine.drain();
      engine.advance(60_000);
      await advanceDrills(engine.app);
    }
    expect(await readDrillView(engine.app, id)).toMatchObject({ status: 'Succeeded', verdict: 'Passed' });
    expect(engine.scratch.rows.size).toBe(0);
  }
});

test('of two bodies of one template the newer one is restored, and the older one is not counted as equal', async () => {
  const engine = createEngine();
  for (const [id, xml] of anInstallation('app', { body: 'older' })) {
    engine.primary.rows.set(id, xml.replace('<ETag>1<', '<ETag>5<'));
  }
  // The template was replaced while the hub was listed, which shows both of its rows.
  const [, [templateId = '', newer = ''] = []] = anInstallation('app', { body: 'newer' });
  engine.primary.rows.set('9-9-9', newer.replace(templateId, '9-9-9'));
  const snapshotId = await backUp(engine);
  expect(await readSnapshotView(engine.app, snapshotId)).toMatchObject({ counts: { supersededRows: 1 } });
  expect(await restore(engine, { dryRun: true })).toMatchObject({ counts: { created: 1 }, superseded: 1 });
  const view = await restore(engine);
  expect(view).toMatchObject({ status: 'Succeeded', counts: { created: 1 }, duplicatesCollapsed: 0, superseded: 1 });
  expect(renderReport(await reportRestore(engine.app, view.id))).toContain(
    'Template bodies left out, for a newer one of the same template or as they have no name: 1.',
  );
  const bodies = [...engine.secondary.rows.values()].flatMap((xml) => /<BodyTemplate>(\w+)/.exec(xml)?.[1] ?? []);
  expect(bodies).toEqual(['newer']);
});

test('a device that left stays out, though a snapshot has shown it without its native row in between', async () => {
  const engine = await aBackedUp(12);
  await restore(engine);
  for (const [id] of anInstallation('device-0')) engine.primary.rows.delete(id);
  const exchanged = engine.fork(({ primary, secondary }) => ({ primary: secondary, secondary: primary }));
  const hub = exchanged.secondary;
  const isNative = (xml: string): boolean => xml.includes('{device-0}') && !xml.includes('<TemplateName>');
  const [id, native] = [...hub.rows].find(([, xml]) => isNative(xml)) ?? expect.unreachable();
  for (const isShown of [true, false, true]) {
    if (isShown) hub.rows.set(id, native);
    else hub.rows.delete(id);
    exchanged.advance(600_000);
    await backUp(exchanged);
    expect(await restore(exchanged)).toMatchObject({ counts: { goneInTarget: 1, created: 0, unchanged: 11 } });
  }
});
