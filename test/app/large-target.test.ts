import { expect, test } from 'vitest';
import { cancelRestore } from '../../src/app/restore/outcomes/cancel.ts';
import { startRollback } from '../../src/app/restore/rollback.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { resultsFolder } from '../../src/core/paths.ts';
import { backUp, beginRestore, contentOf, restore, runUntilWritten, seed } from '../support/drive.ts';
import { createEngine, type Engine, type EngineOptions } from '../support/engine.ts';
import { anAppleRow, anInstallation, register, tokenOf } from '../support/rows.ts';

const STRANGERS = 300;

/** Most of what the target holds the snapshot does not; two rows are in the way of what the snapshot holds. */
async function anEngineWithALargeTarget(options: EngineOptions): Promise<Engine> {
  const engine = createEngine(options);
  const { primary, secondary } = engine;
  seed(engine);
  await backUp(engine);
  for (let index = 0; index < STRANGERS; index += 1) {
    const id = `${index}-77-1`;
    secondary.rows.set(id, anAppleRow({ id, token: tokenOf(`other ${index}`), tags: ['else'] }));
  }
  for (const [id, xml] of [...primary.rows].slice(0, 4)) secondary.rows.set(id, xml);
  for (const [id, xml] of [...primary.rows].slice(4, 8)) {
    secondary.rows.set(id, xml.replace('<Tags>', '<Tags>own,').replace('<ETag>1<', '<ETag>5<'));
  }
  // A device that registered again as an installation, and another device under an id of the snapshot.
  for (const [id, xml] of anInstallation('again', { token: tokenOf('79-5-1') })) secondary.rows.set(id, xml);
  register(secondary, '99-5-1', ['else'], 'another');
  return engine;
}

/** A restore that is cancelled before it looks again, the next one, and its rollback. */
async function live(engine: Engine) {
  const { app, primary, secondary, blobs } = engine;
  const cancelled = await beginRestore(app);
  await runUntilWritten(engine);
  await cancelRestore(app, cancelled);
  await engine.drain();
  register(primary, '119-5-1', ['changed']);
  primary.rows.delete('139-5-1');
  await backUp(engine);
  const next = await restore(engine);
  const after = contentOf(secondary);
  const run = await startRollback(app, next.id, { confirm: 'three/devices' });
  await engine.drain();
  const { status, counts } = await readRestoreView(app, run.id);
  const results = await blobs.list(resultsFolder('restore', next.id, 1, 'seal'));
  const noted = results.reduce((sum, { facts }) => sum + Number(facts['foreign']), 0);
  return { story: { next: next.counts, of: next.status, after, status, counts, undone: contentOf(secondary) }, noted };
}

test('a target that holds far more than the snapshot is looked through in parts, and only what is in the way is noted', async () => {
  const whole = await live(await anEngineWithALargeTarget({}));
  const inParts = await live(await anEngineWithALargeTarget({ policy: { tableBytesAtOnce: 1 } }));
  expect(inParts.story).toEqual(whole.story);
  expect(whole.story.next).toMatchObject({ updated: 1, withdrawn: 1, keptLive: 2, onlyInTarget: STRANGERS + 2 });
  expect(whole.noted).toBeGreaterThan(STRANGERS);
  expect(inParts.noted).toBeLessThan(10);
});

test('of what is staged for a large target no step reads more at once than a part of it', async () => {
  const lengths: number[] = [];
  const engine = await anEngineWithALargeTarget({
    policy: { tableBytesAtOnce: 1 },
    wrap: ({ blobs }) => ({
      blobs: {
        ...blobs,
        get: async (name, how) => {
          if (typeof how === 'object' && name.includes('/staging/')) lengths.push(how.length);
          return blobs.get(name, how);
        },
      },
    }),
  });
  await restore(engine);
  // Some 300 rows of 48 bytes are in 64 sections, and texts of a quarter of them are read at once.
  expect(lengths.length).toBeGreaterThan(64);
  const tables = lengths.toSorted((a, b) => a - b).slice(0, 64);
  expect(tables.at(-1)).toBeLessThan((STRANGERS * 48) / 8);
});
