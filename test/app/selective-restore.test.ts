import { expect, test } from 'vitest';
import { startRollback } from '../../src/app/restore/rollback.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { aBackedUp, backUp, begunWith, codeOf, contentOf, restore, seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import { createMemoryHub } from '../support/memory-hub.ts';
import { anAppleRow, tokenOf } from '../support/rows.ts';

test('only the records that are asked for are restored, and only they are counted', async () => {
  const engine = await aBackedUp(30);
  const only = { tags: 'news && !n4' };
  const view = await restore(engine, { only, note: 'INC-7: installations first' });
  expect(view).toMatchObject({
    status: 'Succeeded',
    purpose: 'restore',
    only,
    note: 'INC-7: installations first',
    counts: { total: 14, created: 14, removed: 0, pending: 0, failed: 0 },
    byPlatform: { Apple: { created: 14 } },
    percent: 100,
  });
  expect(engine.secondary.writes).toHaveLength(14);
  expect(engine.secondary.writes).not.toContain('installation device-4');
  // What was not asked for is no business of a later pass, either.
  expect(await restore(engine)).toMatchObject({ counts: { total: 30, created: 16, unchanged: 14 } });
});

test('by id, by user and by platform', async () => {
  const engine = await aBackedUp(30);
  expect(await restore(engine, { only: { installationIds: ['device-6', 'device-8', 'unknown'] } })).toMatchObject({
    counts: { total: 2, created: 2 },
  });
  expect(await restore(engine, { only: { platforms: ['FcmV1'] } })).toMatchObject({
    status: 'Succeeded',
    counts: { total: 0 },
    byPlatform: {},
    percent: 100,
  });
  expect(await restore(engine, { only: { userIds: ['ada'] }, dryRun: true })).toMatchObject({ counts: { total: 0 } });
  expect(engine.secondary.rows.size).toBe(4);
});

test('the number of selected records is known before the first write', async () => {
  const engine = await aBackedUp(30);
  const totals: number[] = [];
  let runId = '';
  engine.secondary.intercept = () => {
    void readRestoreView(engine.app, runId).then((view) => totals.push(view.counts.total));
    return undefined;
  };
  const { run } = await startRestore(engine.app, parseRestoreRequest('{"only":{"tags":"plain"}}'));
  runId = run.id;
  await engine.drain();
  expect(new Set(totals)).toEqual(new Set([15]));
});

test('an id stands for its whole request, selection and note included', async () => {
  const engine = await aBackedUp(30);
  const start = (body: string) => startRestore(engine.app, parseRestoreRequest(body), { id: 'incident' });
  await start('{"only":{"platforms":["apple"]},"note":"a"}');
  expect(await codeOf(start('{"only":{"platforms":["Apple"]},"note":"a"}'))).toBe('none');
  expect(await codeOf(start('{"only":{"platforms":["FcmV1"]},"note":"a"}'))).toBe('RunIdInUse');
  expect(await codeOf(start('{"only":{"platforms":["apple"]},"note":"b"}'))).toBe('RunIdInUse');
});

test('a restore whose selection is lost or damaged stops before the first write', async () => {
  for (const damage of ['removed', 'changed'] as const) {
    const engine = await aBackedUp(30);
    const { run } = await startRestore(engine.app, parseRestoreRequest('{"only":{"tags":"plain"}}'));
    const name = `_runs/restore/${run.id}/reconcile/pass-1/0001.json`;
    const plain = engine.blobs.get;
    let isStruck = false;
    engine.blobs.get = async (blob, range) => {
      if (blob === name && !isStruck) {
        isStruck = true;
        if (damage === 'removed') await engine.blobs.remove(name);
        else await engine.blobs.put(name, Buffer.from('{}'), 'any');
      }
      return plain(blob, range);
    };
    await engine.drain();
    expect(await readRestoreView(engine.app, run.id)).toMatchObject({
      status: 'Failed',
      error: { code: 'StoredDocumentInvalid', target: name },
    });
  }
});

test('a status costs two storage requests, while the restore runs and afterwards, however many passes there were', async () => {
  const engine = await aBackedUp(30);
  const { run } = await startRestore(engine.app, parseRestoreRequest(''));
  let calls = 0;
  const { get, list } = engine.blobs;
  const count = async <T>(work: () => Promise<T>): Promise<T> => {
    calls += 1;
    return work();
  };
  const app = {
    ...engine.app,
    blobs: {
      ...engine.blobs,
      get: (...args: Parameters<typeof get>) => count(() => get(...args)),
      list: (...args: Parameters<typeof list>) => count(() => list(...args)),
    },
  };
  const costs = new Map<string, number>();
  const advance = async (): Promise<void> => {
    calls = 0;
    const { status, pass } = await readRestoreView(app, run.id);
    costs.set(`${status} ${pass}`, calls);
  };
  const { send } = engine.queue;
  engine.queue.send = async (...args) => {
    await advance();
    return send(...args);
  };
  await engine.drain();
  await advance();
  expect(Object.fromEntries(costs)).toEqual({ 'Running 1': 2, 'Running 2': 2, 'Succeeded 2': 2 });
});

test('some devices of a snapshot may go to a hub whose tier is too small for all of them', async () => {
  const engine = await aBackedUp(600, { policy: { secondaryTier: 'Free' } });
  expect(await codeOf(startRestore(engine.app, parseRestoreRequest('')))).toBe('TargetTooSmall');
  const view = await restore(engine, { only: { tags: 'n7 || n8' } });
  expect(view).toMatchObject({ status: 'Succeeded', counts: { total: 2 } });
  expect(view.warnings.join()).toMatch(/600 records.*\(Free\) takes 500 devices.*Only some/);
});

test('a drill restores into the scratch hub and is rolled back there; without one it is refused', async () => {
  const drillHub = createMemoryHub({ ref: { namespace: 'scratch', hub: 'drill' } });
  const engine = createEngine({ wrap: () => ({ drillHub }) });
  seed(engine, 30);
  await backUp(engine);
  const order = { ...parseRestoreRequest(''), target: 'drill' } as const;
  const { run } = await startRestore(engine.app, order, { purpose: 'drill', requestedBy: 'drill' });
  await engine.drain();
  expect(await readRestoreView(engine.app, run.id)).toMatchObject({
    status: 'Succeeded',
    purpose: 'drill',
    requestedBy: 'drill',
    target: { role: 'drill', namespace: 'scratch', hub: 'drill' },
    counts: { created: 30 },
  });
  expect([drillHub.rows.size, engine.secondary.rows.size]).toEqual([45, 0]);
  await startRollback(engine.app, run.id, { confirm: 'scratch/drill' }, { requestedBy: 'drill' });
  await engine.drain();
  expect(drillHub.rows.size).toBe(0);
  expect(await codeOf(startRestore(createEngine().app, order, { purpose: 'drill' }))).toBe('WrongTarget');
});

function register({ rows }: Engine['primary'], id: string, handle: string, tags: readonly string[]): void {
  const before = /<ETag>(\d+)<\/ETag>/.exec(rows.get(id) ?? '')?.[1] ?? '0';
  rows.set(id, anAppleRow({ id, token: tokenOf(handle), tags, etag: Number(before) + 1 }));
}

/** 24 devices, and two registrations of their own ids, in both hubs. */
async function aRehearsed(): Promise<Engine> {
  const { engine } = await begunWith(['selective-restore'], async () => {
    const first = createEngine();
    seed(first);
    register(first.primary, '90-5-1', 'a', ['x']);
    register(first.primary, '91-5-1', 'b', ['y']);
    await backUp(first);
    await restore(first);
    return { engine: first };
  });
  return engine;
}

const holds = (handle: string) => expect.stringContaining(tokenOf(handle));

test('a device that is not asked for keeps the row whose id one that is asked for has by now', async () => {
  const engine = await aRehearsed();
  register(engine.primary, '90-5-1', 'c', ['selected']);
  register(engine.primary, '92-5-1', 'a', ['x']);
  await backUp(engine);
  const view = await restore(engine, { only: { tags: 'selected' } });
  expect(view).toMatchObject({ status: 'Succeeded', counts: { total: 1, created: 1 } });
  expect(contentOf(engine.secondary)).toEqual(expect.arrayContaining([holds('a'), holds('c')]));
  await restore(engine);
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

test('a rollback takes back a device that got a new id because the row under its own was not to be touched', async () => {
  const engine = await aRehearsed();
  const before = contentOf(engine.secondary);
  register(engine.primary, '90-5-1', 'c', ['selected']);
  register(engine.primary, '92-5-1', 'a', ['x']);
  await backUp(engine);
  const { id } = await restore(engine, { only: { tags: 'selected' } });
  await startRollback(engine.app, id, { confirm: 'three/devices' });
  await engine.drain();
  expect(contentOf(engine.secondary)).toEqual(before);
});

test('two devices that are asked for and exchanged their handles are both restored', async () => {
  const engine = await aRehearsed();
  register(engine.primary, '90-5-1', 'b', ['x']);
  register(engine.primary, '91-5-1', 'a', ['x']);
  await backUp(engine);
  await restore(engine, { only: { tags: 'x' } });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

test('a device that is asked for and has a new handle under its old id leaves no row of the old handle', async () => {
  const engine = await aRehearsed();
  register(engine.primary, '90-5-1', 'c', ['x']);
  await backUp(engine);
  await restore(engine, { only: { tags: 'x' } });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

test('a device that is not asked for stays where it exchanged its handle with one that is', async () => {
  const engine = await aRehearsed();
  register(engine.primary, '90-5-1', 'b', ['x']);
  register(engine.primary, '91-5-1', 'a', ['y']);
  await backUp(engine);
  const view = await restore(engine, { only: { tags: 'x' } });
  expect(view).toMatchObject({ status: 'Succeeded', counts: { total: 1, updated: 1 } });
  expect(contentOf(engine.secondary)).toEqual(expect.arrayContaining([holds('a'), holds('b')]));
  await restore(engine);
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});
