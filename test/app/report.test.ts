import { expect, test } from 'vitest';
import { exportIdMap } from '../../src/app/restore/outcomes/export-id-map.ts';
import { reportRestore } from '../../src/app/restore/report.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { renderReport } from '../../src/core/restore/report.ts';
import { aBackedUp, backUp, codeOf, restore, seed } from '../support/drive.ts';
import { createEngine } from '../support/engine.ts';
import { tokenOf } from '../support/rows.ts';

test('a report tells the phases with their times, also while the restore runs, and no device', async () => {
  const engine = await aBackedUp(30);
  const { run } = await startRestore(engine.app, parseRestoreRequest('{"note":"who and why"}'));
  const early = await reportRestore(engine.app, run.id);
  expect(early).toMatchObject({ isOver: false, timeline: [{ phase: 'scan', pass: 1 }] });
  expect(renderReport(early)).toContain(`# Restore ${run.id} from one/devices into three/devices: not over yet`);
  await engine.drain();
  const facts = await reportRestore(engine.app, run.id);
  expect(facts.timeline.map(({ phase, pass }) => `${phase}#${pass}`)).toEqual([
    ...['scan#1', 'seal#1', 'reconcile#1'],
    ...['scan#2', 'seal#2', 'reconcile#2', 'finish#2'],
  ]);
  // The hub was given ten seconds to settle.
  expect(facts.seconds).toBe(10);
  expect(facts.timeline.reduce((sum, one) => sum + one.seconds, 0)).toBe(10);
  expect(facts.snapshot.digest).toMatch(/^[0-9a-f]{64}$/);
  expect(facts.result.milestones).toMatchObject({ p50At: run.createdAt, p99At: run.createdAt });
  const page = renderReport(facts);
  expect(page).toContain('| note | who and why |');
  expect(page).toContain('found all that it had written: 30 records');
  for (const token of ['device-0', '19-5-1'].map(tokenOf)) {
    expect(page + JSON.stringify(facts)).not.toContain(token);
  }
});

test('a report outlives its snapshot', async () => {
  const engine = createEngine();
  seed(engine, 30);
  const snapshotId = await backUp(engine);
  const { id } = await restore(engine);
  const name = `one/devices/snapshots/${snapshotId}/manifest.json`;
  await engine.blobs.put(name, Buffer.from('{'), 'any');
  expect(renderReport(await reportRestore(engine.app, id))).toContain('its manifest can no longer be read');
  await engine.blobs.remove(name);
  expect(renderReport(await reportRestore(engine.app, id))).toContain('its manifest can no longer be read');
  expect(await codeOf(reportRestore(engine.app, 'unknown'))).toBe('RunNotFound');
});

test('the id map is a table of old and new ids, empty when the target took the old ones', async () => {
  const head = 'old_registration_id,new_registration_id\r\n';
  const calm = createEngine();
  seed(calm, 30);
  await backUp(calm);
  expect(await exportIdMap(calm.app, (await restore(calm)).id)).toBe(head);
  expect(await codeOf(exportIdMap(calm.app, 'unknown'))).toBe('RunNotFound');

  const engine = createEngine();
  seed(engine, 30);
  engine.secondary.refusesForeignIds = true;
  await backUp(engine);
  const csv = await exportIdMap(engine.app, (await restore(engine)).id);
  const pairs = csv
    .slice(head.length)
    .trim()
    .split('\r\n')
    .map((line) => line.split(','));
  expect(csv.startsWith(head)).toBe(true);
  expect(pairs.map(([old]) => old).sort()).toEqual(
    [...engine.primary.rows.keys()].filter((id) => id.endsWith('9-5-1')).sort(),
  );
  for (const [, minted] of pairs) expect(engine.secondary.rows.has(minted ?? '')).toBe(true);
});
