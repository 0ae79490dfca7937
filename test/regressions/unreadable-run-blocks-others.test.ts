import { expect, test } from 'vitest';
import { startBackup } from '../../src/app/backup/start.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { watchRuns } from '../../src/app/watchdog.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { createEngine } from '../support/engine.ts';
import { anAppleRow } from '../support/rows.ts';

test('a run document that cannot be read stops neither the watchdog for others nor the next run', async () => {
  const engine = createEngine();
  engine.primary.rows.set('1-1-1', anAppleRow({ id: '1-1-1' }));
  await startBackup(engine.app, 'timer');
  await engine.drain();
  engine.advance(60_000);
  const damaged = await startBackup(engine.app, 'timer');
  const { run } = await startRestore(engine.app, parseRestoreRequest(''));
  engine.queue.take(); // Every message is lost.
  await engine.blobs.put(`_runs/backup/${damaged.id}/run.json`, Buffer.from('{'), 'any');

  engine.advance(100_000);
  await watchRuns(engine.app);
  await engine.drain();
  expect(await readRestoreView(engine.app, run.id)).toMatchObject({ status: 'Succeeded' });

  await expect(startBackup(engine.app, 'timer')).rejects.toMatchObject({ code: 'RunInProgress' });
  engine.advance(16 * 60_000);
  await startBackup(engine.app, 'timer');
});
