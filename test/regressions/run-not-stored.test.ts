import { expect, test } from 'vitest';
import { startBackup } from '../../src/app/backup/start.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { backUp, codeOf, runToEnd, seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';

/** Storage says once that the new run's id is taken, and holds no such run. */
function refuseNextRun(engine: Engine): void {
  const { put } = engine.blobs;
  engine.blobs.put = async (name, ...rest) => {
    if (!name.endsWith('/run.json')) return put(name, ...rest);
    engine.blobs.put = put;
    return 'conflict';
  };
}

test('a run that storage did not take is refused by name, and starting it again under its id works', async () => {
  const engine = createEngine();
  seed(engine);
  refuseNextRun(engine);
  expect(await codeOf(startBackup(engine.app, 'timer'))).toBe('StorageUnavailable');
  await backUp(engine);
  refuseNextRun(engine);
  const start = () => startRestore(engine.app, parseRestoreRequest(''), { id: 'incident' });
  expect(await codeOf(start())).toBe('StorageUnavailable');
  await start();
  expect(await runToEnd(engine, 'restore', 'incident')).toMatchObject({ status: 'Succeeded' });
});
