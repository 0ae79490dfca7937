import { expect, test } from 'vitest';
import { runStep } from '../../src/app/run-step.ts';
import { openDocument, sealDocument } from '../../src/app/stored/codec.ts';
import { resultName } from '../../src/core/paths.ts';
import { describePhase } from '../../src/core/run/run.ts';
import { parseStep } from '../../src/core/run/step.ts';
import { backUp, beginRestore, runToEnd, seed, storedRun } from '../faults/drive.ts';
import { createEngine } from '../support/engine.ts';

test('an older result of a pass, with records still open, does not keep the next pass busy for ever', async () => {
  const engine = createEngine();
  seed(engine);
  await backUp(engine);
  const id = await beginRestore(engine.app);
  const name = resultName('restore', id, 1, 'reconcile', 1);
  let isReplaced = false;
  const run = await runToEnd(engine, 'restore', id, async (text) => {
    if (!isReplaced && describePhase((await storedRun(engine.app, 'restore', id)).phase) === 'reconcile#2') {
      isReplaced = true;
      const facts = (await engine.blobs.list(name))[0]?.facts;
      const result: unknown = JSON.parse(openDocument(name, (await engine.blobs.get(name))?.bytes ?? new Uint8Array()));
      if (typeof result !== 'object' || result === null || !('letters' in result)) throw new Error('No such result.');
      const older = { ...result, isDone: false, letters: `.${String(result.letters).slice(1)}` };
      await engine.blobs.put(name, sealDocument(name, JSON.stringify(older)), 'any', facts);
    }
    await runStep(engine.app, parseStep(JSON.parse(text)));
  });
  expect(isReplaced).toBe(true);
  expect(run).toMatchObject({ status: 'Failed', error: { code: 'StoredDocumentInvalid', target: name } });
});
