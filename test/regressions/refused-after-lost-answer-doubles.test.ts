import { expect, test } from 'vitest';
import { startBackup } from '../../src/app/backup/start.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import { anAppleRow, tokenOf } from '../support/rows.ts';

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

test('a hub that refuses an id it has just given out is asked for another one', async () => {
  const engine = createEngine();
  let refusals = 0;
  engine.secondary.intercept = (_kind, _id, xml) =>
    xml.includes(tokenOf('29-5-1')) && refusals++ < 3 ? { kind: 'idRefused', status: 410 } : undefined;
  expect(await restoreAfterBackup(engine)).toMatchObject({ status: 'Succeeded', counts: { created: 3, failed: 0 } });
  expect(engine.secondary.rows.size).toBe(3);
});

test("one of a device's rows being refused does not write its other row twice", async () => {
  const engine = createEngine();
  const token = tokenOf('both');
  engine.primary.rows.set('1-1-1', anAppleRow({ id: '1-1-1', token, tags: ['a'] }));
  engine.primary.rows.set('1-1-2', anAppleRow({ id: '1-1-2', token, tags: ['b'] }));
  engine.secondary.intercept = (_kind, id) => (id === '1-1-2' ? { kind: 'idRefused', status: 410 } : undefined);
  const view = await restoreAfterBackup(engine);
  expect(view).toMatchObject({ status: 'Succeeded', counts: { created: 4 }, repaired: 0 });
  expect(engine.secondary.rows.size).toBe(5);
});

test('rows under two ids the hub gave out, of which it refused the first after writing it, become one', async () => {
  const engine = createEngine();
  let calls = 0;
  engine.secondary.intercept = (_kind, id, xml) => {
    if (!xml.includes(tokenOf('29-5-1')) || ++calls > 2) return undefined;
    if (calls === 2)
      engine.secondary.rows.set(id, xml.replace('>', `><ETag>1</ETag><RegistrationId>${id}</RegistrationId>`));
    return { kind: 'idRefused', status: 410 };
  };
  expect(await restoreAfterBackup(engine)).toMatchObject({ status: 'Succeeded', counts: { created: 3 }, repaired: 1 });
  expect(engine.secondary.rows.size).toBe(3);
});
