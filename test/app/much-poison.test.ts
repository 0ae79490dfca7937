import { expect, test } from 'vitest';
import { startBackup } from '../../src/app/backup/start.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { findRun } from '../../src/app/runs/store.ts';
import type { RunKind } from '../../src/core/paths.ts';
import { isOver } from '../../src/core/run/run.ts';
import { beginRestore } from '../support/drive.ts';
import { type Poison, pacedHub, poisons } from '../support/paced-hub.ts';
import { anAppleRow } from '../support/rows.ts';
import { openVirtualHosts } from '../support/virtual-hosts.ts';

const DEVICES = 4000;
const PER_SECOND = 500;

/** One record in a hundred is poison, of every kind in turn. */
function poisonOf(xml: string): Poison | undefined {
  const index = Number(/<Tags>n(\d+)</.exec(xml)?.[1]);
  return index % 100 === 0 ? poisons[(index / 100) % poisons.length] : undefined;
}

test('of records that are poison of every kind, many at once, each is set aside, and all others are restored', async () => {
  const hosts = openVirtualHosts({
    toTarget: (hub, clock) => pacedHub(hub, { clock, perSecond: PER_SECOND, poisonOf }),
  });
  const { clock, primary } = hosts;
  for (let index = 0; index < DEVICES; index += 1) {
    const id = `${index}-5-1`;
    primary.rows.set(id, anAppleRow({ id, tags: [`n${index}`] }));
  }
  const { app } = hosts.start();
  const untilOver = async (kind: RunKind, id: string) => {
    for (;;) {
      const run = await clock.advanceUntil(findRun(app, kind, id));
      if (isOver(run)) return run;
      await clock.advance(1000);
    }
  };
  const { id } = await clock.advanceUntil(startBackup(app, 'timer'));
  expect(await untilOver('backup', id)).toMatchObject({ status: 'Succeeded' });
  const restoreId = await clock.advanceUntil(beginRestore(app));
  expect(await untilOver('restore', restoreId)).toMatchObject({ error: { code: 'RestoreIncomplete' } });
  const { counts } = await clock.advanceUntil(readRestoreView(app, restoreId));
  expect(counts).toMatchObject({ created: DEVICES - DEVICES / 100, failed: DEVICES / 100, pending: 0 });
});
