import { expect, test } from 'vitest';
import { startBackup } from '../../src/app/backup/start.ts';
import { findRun } from '../../src/app/runs/store.ts';
import { DrError } from '../../src/core/errors.ts';
import { seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';

/** An engine in which the outcome of a lock's put is not known this many times, whether or not it took effect. */
function anEngine(unclearCount: number, isApplied: boolean): Engine {
  let count = 0;
  const engine = createEngine({
    wrap: ({ blobs }) => ({
      blobs: {
        ...blobs,
        put: async (name, bytes, condition, facts) => {
          if (!name.startsWith('_locks/') || condition !== 'new' || count >= unclearCount) {
            return blobs.put(name, bytes, condition, facts);
          }
          count += 1;
          if (isApplied) await blobs.put(name, bytes, condition, facts);
          throw new DrError('StorageUnavailable', 'The outcome is not known.', { retryable: true });
        },
      },
    }),
  });
  seed(engine, 3);
  return engine;
}

test.each([true, false])(
  'a run begins although it is not known what became of its lock (applied: %s)',
  async (isApplied) => {
    const engine = anEngine(1, isApplied);
    const { id } = await startBackup(engine.app, 'http');
    await engine.drain();
    expect((await findRun(engine.app, 'backup', id)).status).toBe('Succeeded');
  },
);

test('storage that never says what became of a lock is an error', async () => {
  const engine = anEngine(100, false);
  await expect(startBackup(engine.app, 'http')).rejects.toMatchObject({ code: 'StorageUnavailable', retryable: true });
});
