import { expect, test } from 'vitest';
import { runStep } from '../../src/app/run-step.ts';
import { readRun } from '../../src/app/run-store.ts';
import { startBackup } from '../../src/app/start-backup.ts';
import type { Blobs } from '../../src/core/ports.ts';
import { parseStep } from '../../src/core/step.ts';
import { seed } from '../faults/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';

/** Counts listings of results, and fails the first write of one shard's result if asked to. */
function watched(isFailing: () => boolean) {
  const seen = { listings: 0 };
  const engine: Engine = createEngine({
    wrap: ({ blobs }) => ({
      blobs: {
        ...blobs,
        list: (prefix) => {
          if (prefix.includes('/seal/')) seen.listings += 1;
          return blobs.list(prefix);
        },
        put: async (...args: Parameters<Blobs['put']>) => {
          if (args[0].endsWith('/seal/pass-1/0003.json') && isFailing()) throw new Error('the process dies');
          return blobs.put(...args);
        },
      },
    }),
  });
  seed(engine, 40);
  return { engine, seen };
}

async function toSeal(engine: Engine): Promise<string> {
  const { id } = await startBackup(engine.app, 'http');
  for (const text of engine.queue.take()) await runStep(engine.app, parseStep(JSON.parse(text)));
  return id;
}

test('of shards that are worked at together only the last one asks whether the phase is over', async () => {
  const { engine, seen } = watched(() => false);
  const id = await toSeal(engine);
  seen.listings = 0;
  await engine.drainTogether();
  expect((await readRun(engine.app, 'backup', id))?.run).toMatchObject({ status: 'Succeeded', shardCount: 4 });
  // The last one, and the sum of what changed since the snapshot before.
  expect(seen.listings).toBeLessThanOrEqual(2);
});

test('a shard that fails while the others rely on it asks when it comes again', async () => {
  let failures = 1;
  const { engine } = watched(() => failures-- > 0);
  const id = await toSeal(engine);
  const texts = engine.queue.take();
  const ends = await Promise.allSettled(texts.map((text) => runStep(engine.app, parseStep(JSON.parse(text)))));
  const failed = texts.filter((_, index) => ends[index]?.status === 'rejected');
  expect(failed).toHaveLength(1);
  for (const text of failed) await runStep(engine.app, parseStep(JSON.parse(text)));
  await engine.drain();
  expect((await readRun(engine.app, 'backup', id))?.run.status).toBe('Succeeded');
});
