import { expect, test } from 'vitest';
import { startBackup } from '../../src/app/backup/start.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { createEngine } from '../support/engine.ts';
import { anAppleRow, tokenOf } from '../support/rows.ts';

test('an installation that a torn listing shows with two templates of one name is restored and stops nothing', async () => {
  const engine = createEngine();
  const tags = ['$InstallationId:{torn}', 'news'];
  for (const [id, body] of [
    ['1-1-1', '{"old":1}'],
    ['1-1-2', '{"new":1}'],
  ] as const) {
    const row = anAppleRow({ id, token: tokenOf('torn'), tags: [...tags, id], template: { name: 'news', body } });
    engine.primary.rows.set(id, row);
  }
  await startBackup(engine.app, 'http');
  await engine.drain();
  const { run } = await startRestore(engine.app, parseRestoreRequest('{}'));
  await engine.drain();
  expect(await readRestoreView(engine.app, run.id)).toMatchObject({ counts: { total: 1, pending: 0 } });
  expect(engine.secondary.writes).toContain('installation torn');
});
