import { expect, test } from 'vitest';
import { prune } from '../../src/app/prune.ts';
import { reviewReadiness } from '../../src/app/readiness/review.ts';
import { readRoles } from '../../src/app/runs/roles.ts';
import { chooseSnapshot } from '../../src/app/snapshots/store.ts';
import { aBackedUp, backUp, seed } from '../support/drive.ts';

test('looks and backups read no more of many suspect snapshots than of few', async () => {
  const manifests: string[] = [];
  const engine = await aBackedUp(24, {
    policy: { suspectAcceptAfter: 3, suspectDropPercent: 20 },
    wrap: ({ blobs }) => ({
      blobs: {
        ...blobs,
        get: (name, how) => {
          if (name.endsWith('/manifest.json')) manifests.push(name);
          return blobs.get(name, how);
        },
      },
    }),
  });
  const good = (await chooseSnapshot(engine.app, await readRoles(engine.app), 'latest')).manifest.id;
  const rows = [...engine.primary.rows.keys()];
  /** Falls that are never alike, so that none is accepted by itself. */
  const backUpSuspect = async (index: number): Promise<void> => {
    for (const id of rows) engine.primary.rows.delete(id);
    seed(engine, index % 2 === 0 ? 12 : 4);
    engine.advance(3_600_000);
    await backUp(engine);
  };
  const readBy = async (work: () => Promise<unknown>): Promise<number> => {
    manifests.length = 0;
    await work();
    return new Set(manifests).size;
  };
  for (let index = 0; index < 6; index += 1) await backUpSuspect(index);
  const [look, backup] = [await readBy(() => reviewReadiness(engine.app)), await readBy(() => backUpSuspect(6))];
  for (let index = 7; index < 20; index += 1) await backUpSuspect(index);
  expect(await readBy(() => reviewReadiness(engine.app))).toBe(look);
  expect(await readBy(() => backUpSuspect(20))).toBe(backup);
  const { manifest, warnings } = await chooseSnapshot(engine.app, await readRoles(engine.app), 'latest');
  expect(manifest.id).toBe(good);
  expect(warnings).toEqual([
    ...Array.from({ length: 3 }, () => expect.stringMatching(/^Snapshot .* is newer, but suspect: /)),
    '18 more snapshots are newer, but suspect.',
  ]);
  await prune(engine.app);
  expect((await chooseSnapshot(engine.app, await readRoles(engine.app), 'latest')).manifest.id).toBe(good);
});
