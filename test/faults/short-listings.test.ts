import { expect, test } from 'vitest';
import { startBackup } from '../../src/app/backup/start.ts';
import { readBackupView } from '../../src/app/backup/view.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { RecordFault } from '../../src/core/errors.ts';
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

/** From now on the primary does not give its row 101, and every listing leaves it out. */
function withhold({ primary }: Engine): void {
  const { listPage } = primary;
  primary.listPage = async (token, options) => {
    const page = await listPage(token, options);
    return token === '100' && page !== 'tokenLost' ? { ...page, rows: page.rows.slice(1), missing: [0] } : page;
  };
}

test('a row that the hub does not give is named by its place, and makes a small snapshot suspect', async () => {
  const engine = createEngine();
  seed(engine, 400);
  withhold(engine);
  const { id } = await startBackup(engine.app, 'timer');
  await runToEnd(engine, 'backup', id);
  const named = '1 row could not be read: 101 of the listing';
  expect(await readBackupView(engine.app, id)).toMatchObject({
    status: 'Succeeded',
    warnings: [expect.stringContaining(named)],
    result: { health: 'suspect', healthReasons: [named] },
  });
});

test('a row that no token leads past ends the backup, which names its place', async () => {
  const engine = createEngine();
  seed(engine, 400);
  const { listPage } = engine.primary;
  engine.primary.listPage = async (token, options) => {
    if (token === '200') throw new RecordFault('HubMisbehaves', 'No token leads past it.', {});
    return listPage(token, options);
  };
  const { id } = await startBackup(engine.app, 'timer');
  await runToEnd(engine, 'backup', id);
  expect(await readBackupView(engine.app, id)).toMatchObject({
    status: 'Failed',
    error: { code: 'HubMisbehaves', message: expect.stringMatching(/^Row 201 of the listing: /) },
  });
});
