import { expect, test } from 'vitest';
import { findRun } from '../../src/app/runs/store.ts';
import { runStep } from '../../src/app/steps/run-step.ts';
import { documents } from '../../src/app/stored/documents.ts';
import { resultName } from '../../src/core/paths.ts';
import { describePhase } from '../../src/core/run/run.ts';
import { parseStep } from '../../src/core/run/step.ts';
import { aBackedUp, beginRestore, runToEnd } from '../support/drive.ts';

test('an older result of a pass, with records still open, does not keep the next pass busy for ever', async () => {
  const engine = await aBackedUp();
  const id = await beginRestore(engine.app);
  const name = resultName('restore', id, 1, 'reconcile', 1);
  let isReplaced = false;
  const run = await runToEnd(engine, 'restore', id, async (text) => {
    if (!isReplaced && describePhase((await findRun(engine.app, 'restore', id)).phase) === 'reconcile#2') {
      isReplaced = true;
      const facts = (await engine.blobs.list(name))[0]?.facts;
      const result = await documents.restoredShard.read(engine.app, name);
      const older = { ...result, isDone: false, letters: `.${result.letters.slice(1)}` };
      await documents.restoredShard.write(engine.app, name, older, 'any', facts);
    }
    await runStep(engine.app, parseStep(JSON.parse(text)));
  });
  expect(isReplaced).toBe(true);
  expect(run).toMatchObject({ status: 'Failed', error: { code: 'StoredDocumentInvalid', target: name } });
});
