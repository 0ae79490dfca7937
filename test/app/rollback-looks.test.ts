import { expect, test } from 'vitest';
import { cancelRestore } from '../../src/app/restore/outcomes/cancel.ts';
import { startRollback } from '../../src/app/restore/rollback.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { DrError } from '../../src/core/errors.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { aBackedUp, backUp, begunWith, contentOf, restore, runToEnd } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import { applyLate, hideInListing } from '../support/late-hub.ts';
import { anAppleRow, anInstallation, tokenOf } from '../support/rows.ts';

async function rollBack(engine: Engine, id: string) {
  const run = await startRollback(engine.app, id, { confirm: 'three/devices' });
  await runToEnd(engine, 'restore', run.id);
  return readRestoreView(engine.app, run.id);
}

async function aRestoredEngine() {
  return begunWith(['rollback-looks'], async () => {
    const engine = await aBackedUp(30);
    const { id, status } = await restore(engine);
    expect(status).toBe('Succeeded');
    return { engine, id };
  });
}

/** A restore that is cancelled as soon as it has written, so that it never looks at what it wrote. */
async function aCancelledRestore(engine: Engine): Promise<string> {
  const { run } = await startRestore(engine.app, parseRestoreRequest(''));
  const { listPage } = engine.secondary;
  let listings = 0;
  engine.secondary.listPage = async (...args) => {
    listings += 1;
    if (listings === 2) await cancelRestore(engine.app, run.id);
    return listPage(...args);
  };
  await engine.drain();
  engine.secondary.listPage = listPage;
  expect(await readRestoreView(engine.app, run.id)).toMatchObject({ status: 'Canceled' });
  return run.id;
}

const PHONES = 40;

const isOf = (id: string) => (xml: string) => xml.includes(`$InstallationId:{${id}}`) || xml.includes(tokenOf(id));
const away = (): DrError => new DrError('HubUnavailable', 'The hub is away.', { retryable: true });
const dies = (): Error => new Error('The process dies here.');

test.each([
  { how: 'the hub is not available', failure: away },
  { how: 'the process dies', failure: dies },
])('when $how in pass 1 and again in pass 2, a rollback still removes what it says', async ({ failure }) => {
  const { engine, id } = await aRestoredEngine();
  const { deleteInstallation, deleteRegistration, listPage } = engine.secondary;
  let failures = 0;
  let listings = 0;
  engine.secondary.listPage = (...args) => {
    listings += 1;
    failures = 0;
    return listPage(...args);
  };
  // Each of the four shards' steps ends at its first deletion, in the first two passes.
  const failing = async (remove: () => Promise<unknown>): Promise<void> => {
    if (listings <= 2 && failures < 4) {
      failures += 1;
      throw failure();
    }
    await remove();
  };
  engine.secondary.deleteInstallation = (...args) => failing(() => deleteInstallation(...args));
  engine.secondary.deleteRegistration = async (...args) => {
    await failing(() => deleteRegistration(...args));
    return 'gone';
  };
  const view = await rollBack(engine, id);
  expect(view).toMatchObject({ status: 'Succeeded', counts: { total: 30, removed: 30, failed: 0 } });
  expect(engine.secondary.rows.size).toBe(0);
});

test.each([1, 2])('a record that listing %i of a rollback leaves out is removed all the same', async (which) => {
  for (const hidden of ['device-6', '19-5-1']) {
    const { engine, id } = await aRestoredEngine();
    hideInListing(engine, which, isOf(hidden));
    const { deleteInstallation, deleteRegistration } = engine.secondary;
    let lost = 1;
    // With the second listing: the deletion is accepted, and takes no effect.
    engine.secondary.deleteInstallation = async (...args) => {
      if (which === 2 && args[0] === hidden && lost-- > 0) return;
      await deleteInstallation(...args);
    };
    engine.secondary.deleteRegistration = deleteRegistration;
    expect(await rollBack(engine, id)).toMatchObject({ status: 'Succeeded', counts: { removed: 30 } });
    expect(engine.secondary.rows.size).toBe(0);
  }
});

test('what really is gone counts as unchanged after two looks', async () => {
  const { engine, id } = await aRestoredEngine();
  engine.secondary.rows.delete('19-5-1');
  expect(await rollBack(engine, id)).toMatchObject({ counts: { removed: 29, unchanged: 1 } });
  expect(await rollBack(engine, id)).toMatchObject({ counts: { removed: 0, unchanged: 30 }, passes: 2 });
});

test('one of several rows of a device that a listing leaves out is removed, too', async () => {
  for (const isCancelled of [false, true]) {
    const engine = createEngine();
    const token = tokenOf('both');
    engine.primary.rows.set('1-1-1', anAppleRow({ id: '1-1-1', token, tags: ['a'] }));
    engine.primary.rows.set('1-1-2', anAppleRow({ id: '1-1-2', token, tags: ['b'] }));
    for (const [id, xml] of anInstallation('phone')) engine.primary.rows.set(id, xml);
    await backUp(engine);
    const id = isCancelled ? await aCancelledRestore(engine) : (await restore(engine)).id;
    expect(engine.secondary.rows.size).toBe(4);
    hideInListing(engine, 1, (xml) => xml.includes('>1-1-2<') || xml.includes('TemplateName'));
    expect(await rollBack(engine, id)).toMatchObject({ status: 'Succeeded', counts: { removed: 2, keptLive: 0 } });
    expect(engine.secondary.rows.size).toBe(0);
  }
});

test('what a cancelled restore has handed over and the hub shows minutes later is removed', async () => {
  for (const delayMs of [35_000, 110_000]) {
    const engine = await aBackedUp(30);
    applyLate(engine, () => delayMs);
    const id = await aCancelledRestore(engine);
    const view = await rollBack(engine, id);
    expect(view).toMatchObject({ status: 'Succeeded', counts: { total: 30, removed: 30, unchanged: 0 } });
    engine.advance(600_000);
    await engine.secondary.listPage(undefined, { deadlineAt: 0 });
    expect(engine.secondary.rows.size).toBe(0);
  }
});

test('a rollback knows what its restore wrote, also where a look of it showed a late write of one before', async () => {
  const engine = await aBackedUp(30);
  applyLate(engine, () => 25_000);
  await aCancelledRestore(engine);
  const { id, status, counts } = await restore(engine);
  expect({ status, created: counts.created }).toEqual({ status: 'Succeeded', created: 15 });
  engine.advance(600_000);
  expect(await rollBack(engine, id)).toMatchObject({ status: 'Succeeded', counts: { removed: 15, keptLive: 0 } });
});

test.each([
  { from: 32_000, to: 38_000 },
  { from: 100_000, to: 125_000 },
])('a hub that shows installation writes $from to $to ms late is left as it was', async ({ from, to }) => {
  for (const waitMs of [0, 20_000, 600_000]) {
    const { engine } = await begunWith(['phones'], async () => {
      const first = createEngine();
      for (let index = 0; index < PHONES; index++) {
        for (const [id, xml] of anInstallation(`phone-${index}`)) first.primary.rows.set(id, xml);
      }
      await backUp(first);
      return { engine: first };
    });
    applyLate(engine, (id) => from + (Number(id.slice(6)) * (to - from)) / PHONES);
    const restored = await restore(engine);
    expect(restored).toMatchObject({ status: 'Succeeded', counts: { created: PHONES }, changedSince: 0 });
    engine.advance(waitMs);
    const view = await rollBack(engine, restored.id);
    const counts = { removed: PHONES, keptLive: 0, unchanged: 0 };
    expect(view, `after ${waitMs} ms`).toMatchObject({ status: 'Succeeded', counts });
    engine.advance(600_000);
    await engine.secondary.listPage(undefined, { deadlineAt: 0 });
    expect(engine.secondary.rows.size).toBe(0);
  }
});

test('a plain row that is registered again under its id while a rollback runs stays, also when nothing tells it apart', async () => {
  const { engine, id } = await aRestoredEngine();
  const { deleteRegistration } = engine.secondary;
  const xml = engine.secondary.rows.get('19-5-1') ?? '';
  engine.secondary.deleteRegistration = async (...args) => {
    const answer = await deleteRegistration(...args);
    if (args[0] === '19-5-1') engine.secondary.rows.set('19-5-1', xml);
    return answer;
  };
  expect(await rollBack(engine, id)).toMatchObject({ status: 'Succeeded', counts: { removed: 30 }, changedSince: 1 });
  expect([...engine.secondary.rows.keys()]).toEqual(['19-5-1']);
});

test('an installation of which a look of the restore leaves a row out has not changed, and is removed', async () => {
  const engine = await aBackedUp(30);
  hideInListing(engine, 2, (xml) => isOf('device-6')(xml) && xml.includes('TemplateName'));
  const restored = await restore(engine);
  expect(restored).toMatchObject({ status: 'Succeeded', changedSince: 0, passes: 2 });
  expect(await rollBack(engine, restored.id)).toMatchObject({ status: 'Succeeded', counts: { removed: 30 } });
  expect(engine.secondary.rows.size).toBe(0);
});

test('a record that every listing of a rollback leaves out is asked for, and removed', async () => {
  for (const hidden of ['device-6', '19-5-1']) {
    const { engine, id } = await aRestoredEngine();
    for (const which of [1, 2]) hideInListing(engine, which, isOf(hidden));
    expect(await rollBack(engine, id)).toMatchObject({ status: 'Succeeded', counts: { removed: 30, unchanged: 0 } });
    expect(engine.secondary.rows.size).toBe(0);
  }
});

test('a removal at which the process died, and that later listings leave out, is made all the same', async () => {
  for (const hidden of ['device-6', '19-5-1']) {
    const { engine, id } = await aRestoredEngine();
    const { deleteInstallation, deleteRegistration } = engine.secondary;
    let deaths = 1;
    const dying = <R>(given: string, remove: () => Promise<R>): Promise<R> => {
      if (given === hidden && deaths-- > 0) throw dies();
      return remove();
    };
    engine.secondary.deleteInstallation = async (...args) => dying(args[0], () => deleteInstallation(...args));
    engine.secondary.deleteRegistration = async (...args) => dying(args[0], () => deleteRegistration(...args));
    for (const which of [2, 3, 4]) hideInListing(engine, which, isOf(hidden));
    expect(await rollBack(engine, id)).toMatchObject({ status: 'Succeeded', counts: { removed: 30 } });
    expect(engine.secondary.rows.size).toBe(0);
  }
});

test('a record that was written over, and that every listing of a rollback leaves out, is put back', async () => {
  for (const hidden of ['device-6', '19-5-1']) {
    const { engine } = await aRestoredEngine();
    const before = contentOf(engine.secondary);
    engine.primary.rows.set('19-5-1', anAppleRow({ id: '19-5-1', tags: ['changed'], etag: 2 }));
    for (const [id, xml] of anInstallation('device-6', { tags: ['changed'] })) engine.primary.rows.set(id, xml);
    await backUp(engine);
    const { id, counts } = await restore(engine);
    expect(counts.updated).toBe(2);
    for (const which of [1, 2]) hideInListing(engine, which, isOf(hidden));
    expect(await rollBack(engine, id)).toMatchObject({ status: 'Succeeded', counts: { putBack: 2, keptLive: 0 } });
    expect(contentOf(engine.secondary)).toEqual(before);
  }
});

test('a record that was put back under the id of its restore, and that later listings leave out, is there once', async () => {
  const { engine } = await aRestoredEngine();
  const token = tokenOf('19-5-1');
  const isThis = (xml: string) => xml.includes(token);
  engine.primary.rows.delete('19-5-1');
  engine.primary.rows.set('19-5-2', anAppleRow({ id: '19-5-2', token, tags: ['changed'], etag: 2 }));
  await backUp(engine);
  const { id } = await restore(engine);
  for (const which of [2, 3]) hideInListing(engine, which, isThis);
  expect(await rollBack(engine, id)).toMatchObject({ status: 'Succeeded', counts: { total: 1, putBack: 1 } });
  expect([...engine.secondary.rows.values()].filter(isThis)).toHaveLength(1);
});
