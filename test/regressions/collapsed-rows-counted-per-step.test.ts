import { expect, test } from 'vitest';
import { startBackup } from '../../src/app/backup/start.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { createEngine } from '../support/engine.ts';
import { anAppleRow, tokenOf } from '../support/rows.ts';

test('rows that became one are counted once, however many steps a shard takes', async () => {
  const engine = createEngine({ policy: { stepBudgetMs: 1000, maxConcurrency: 1 } });
  for (let device = 0; device < 20; device++) {
    for (const id of [`${device}-1-1`, `${device}-1-2`]) {
      engine.primary.rows.set(id, anAppleRow({ id, token: tokenOf(`device ${device}`), tags: ['a'] }));
    }
  }
  await startBackup(engine.app, 'http');
  await engine.drain();
  // A few writes take all of a step's time; the rest of its records stay open for the next step.
  engine.secondary.intercept = () => void engine.advance(400);
  const { run } = await startRestore(engine.app, parseRestoreRequest('{}'));
  await engine.drain();
  expect(await readRestoreView(engine.app, run.id)).toMatchObject({
    status: 'Succeeded',
    counts: { created: 20 },
    duplicatesCollapsed: 20,
  });
});
