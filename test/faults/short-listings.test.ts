import { expect, test } from 'vitest';
import { startBackup } from '../../src/app/backup/start.ts';
import { readBackupView } from '../../src/app/backup/view.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { backUp, beginRestore, contentOf, runToEnd, seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';

/** From now on the token after the primary's first page is another one: that of a later page, or none. */
function leadAstray({ primary }: Engine, nextToken: string | undefined): void {
  const { listPage } = primary;
  primary.listPage = async (token, options) => {
    const page = await listPage(token, options);
    return token === undefined && page !== 'tokenLost' ? { ...page, nextToken } : page;
  };
}

const astray = [
  { what: 'ends after its first page', nextToken: undefined },
  { what: 'skips pages', nextToken: '500' },
];

test.each(astray)(
  'a listing that $what makes a suspect snapshot, and latest stays the whole one',
  async ({ nextToken }) => {
    const engine = createEngine();
    seed(engine, 400);
    const whole = await backUp(engine);
    leadAstray(engine, nextToken);
    engine.advance(60_000);
    const { id } = await startBackup(engine.app, 'timer');
    await runToEnd(engine, 'backup', id);
    expect(await readBackupView(engine.app, id)).toMatchObject({
      status: 'Succeeded',
      result: { health: 'suspect', healthReasons: [expect.stringMatching(/below the usual 400/)] },
    });
    const restoreId = await beginRestore(engine.app);
    await runToEnd(engine, 'restore', restoreId);
    expect(await readRestoreView(engine.app, restoreId)).toMatchObject({
      status: 'Succeeded',
      snapshot: { id: whole },
      counts: { created: 400 },
    });
    expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
  },
);
