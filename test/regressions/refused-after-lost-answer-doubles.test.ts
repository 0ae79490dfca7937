import { expect, test } from 'vitest';
import { startBackup } from '../../src/app/start-backup.ts';
import { startRestore } from '../../src/app/start-restore.ts';
import { readRestoreView } from '../../src/app/views.ts';
import { parseRestoreRequest } from '../../src/core/restore-request.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import { anAppleRow } from '../support/rows.ts';

const ids = ['19-5-1', '29-5-1', '39-5-1'];

/** A write whose answer is lost, and a hub that refuses the id when the call is repeated. */
function refuseAfterWriting(engine: Engine, victim: string): void {
  let isWritten = false;
  engine.secondary.intercept = (kind, id, xml) => {
    if (kind !== 'registration' || id !== victim || isWritten) return undefined;
    isWritten = true;
    engine.secondary.rows.set(id, xml.replace('>', `><ETag>1</ETag><RegistrationId>${id}</RegistrationId>`));
    return { kind: 'idRefused', status: 410 };
  };
}

async function restoreAfterBackup(engine: Engine, beforeDrain: () => void = () => {}) {
  for (const id of ids) engine.primary.rows.set(id, anAppleRow({ id, tags: ['plain'] }));
  await startBackup(engine.app, 'http');
  await engine.drain();
  const { run } = await startRestore(engine.app, parseRestoreRequest('{}'));
  beforeDrain();
  await engine.drain();
  return readRestoreView(engine.app, run.id);
}

test('a device written under its old id and, that being refused afterwards, under a new one, ends with one row', async () => {
  const engine = createEngine();
  refuseAfterWriting(engine, '29-5-1');
  expect(await restoreAfterBackup(engine)).toMatchObject({
    status: 'Succeeded',
    counts: { created: 3, failed: 0 },
    repaired: 1,
  });
  expect([...engine.secondary.rows.keys()].sort()).toEqual(ids);
});

test('a second row that its device changed meanwhile is left alone', async () => {
  const engine = createEngine();
  refuseAfterWriting(engine, '29-5-1');
  const { deleteRegistration } = engine.secondary;
  engine.secondary.deleteRegistration = async (id, etag, call) => {
    const row = engine.secondary.rows.get(id) ?? '';
    engine.secondary.rows.set(id, row.replace('<ETag>1</ETag>', '<ETag>2</ETag>').replace('plain', 'changed'));
    return deleteRegistration(id, etag, call);
  };
  expect(await restoreAfterBackup(engine)).toMatchObject({
    status: 'Succeeded',
    counts: { created: 3 },
    changedSince: 1,
  });
  expect(engine.secondary.rows.size).toBe(4);
});
