import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cancelRestore } from '../../src/app/restore/outcomes/cancel.ts';
import { startRetry } from '../../src/app/restore/retry.ts';
import { startRollback } from '../../src/app/restore/rollback.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { declareRole } from '../../src/app/runs/declare-role.ts';
import { watchRuns } from '../../src/app/watchdog.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { rollbackInWords } from '../../src/core/restore/rollback-words.ts';
import { noCounts } from '../../src/core/restore/totals.ts';
import { roleNow } from '../../src/core/run/role.ts';
import { aBackedUp, backUp, begunWith, codeOf, restore, seed } from '../support/drive.ts';
import { createEngine, type Engine, type EngineOptions } from '../support/engine.ts';
import { runs } from '../support/property-runs.ts';
import { anAppleRow, anInstallation, keepOneShard, tokenOf } from '../support/rows.ts';

async function rollBack(engine: Engine, id: string, note?: string) {
  const run = await startRollback(engine.app, id, {
    confirm: 'three/devices',
    ...(note === undefined ? {} : { note }),
  });
  await engine.drain();
  return readRestoreView(engine.app, run.id);
}

async function aRestoredEngine(
  options: Pick<EngineOptions, 'policy'> = {},
  live: readonly (readonly [string, string])[] = [],
) {
  return begunWith(['rollback', options, live], async () => {
    const engine = await aBackedUp(30, options);
    for (const [id, xml] of live) engine.secondary.rows.set(id, xml);
    const restored = await restore(engine);
    expect(restored.status).toBe('Succeeded');
    return { engine, restored };
  });
}

/** As `seed` has it. */
function installationJson(id: string): object {
  const tags = ['news', id.replace('device-', 'n')];
  const templates = { alert: { body: '{"aps":{"alert":"$(message)"}}' } };
  return { platform: 'apns', pushChannel: tokenOf(id), tags, templates };
}

const rowsOf = (engine: Engine): Record<string, string> => Object.fromEntries(engine.secondary.rows);

test('a rollback right after a restore leaves the hub as it was before', async () => {
  const live: [string, string][] = [
    ...anInstallation('stranger'),
    ['8-8-8', anAppleRow({ id: '8-8-8', tags: ['own'] })],
    // One of the restore's own devices, which registered after the failover with other tags.
    ['8-8-9', anAppleRow({ id: '8-8-9', token: tokenOf('19-5-1'), tags: ['newer'] })],
  ];
  const { engine, restored } = await aRestoredEngine({}, live);
  expect(restored.counts).toMatchObject({ created: 29, unknownOrigin: 1, onlyInTarget: 2 });
  const view = await rollBack(engine, restored.id, 'wrong snapshot');
  expect(view).toMatchObject({
    status: 'Succeeded',
    purpose: 'rollback',
    of: restored.id,
    note: 'wrong snapshot',
    counts: { total: 29, removed: 29, created: 0, keptLive: 0, unchanged: 0, failed: 0, pending: 0 },
    byPlatform: { Apple: { removed: 29 } },
    percent: 100,
  });
  expect(rowsOf(engine)).toEqual(Object.fromEntries(live));
  expect(await rollBack(engine, restored.id)).toMatchObject({
    status: 'Succeeded',
    counts: { total: 29, unchanged: 29, removed: 0 },
  });
});

test('a second rollback, of more records than a shard asks for in one batch, ends and removes nothing', async () => {
  const engine = createEngine();
  seed(engine, 2400);
  const records = keepOneShard(engine.primary);
  expect(records).toBeGreaterThan(550);
  await backUp(engine);
  const restored = await restore(engine);
  expect(await rollBack(engine, restored.id)).toMatchObject({ status: 'Succeeded', counts: { removed: records } });
  expect(await rollBack(engine, restored.id)).toMatchObject({ status: 'Succeeded', counts: { failed: 0, pending: 0 } });
  expect(rowsOf(engine)).toEqual({});
});

test('devices that changed since the restore stay as they are, byte for byte, also when only their ETag moved', async () => {
  const { engine, restored } = await aRestoredEngine();
  const { rows } = engine.secondary;
  const moved = (id: string): string => (rows.get(id) ?? '').replace(/<ETag>\d+<\/ETag>/, '<ETag>9</ETag>');
  rows.set('19-5-1', anAppleRow({ id: '19-5-1', tags: ['moved-on'], etag: 2 }));
  rows.set('39-5-1', moved('39-5-1'));
  // Registered again, the same: other rows with the same content.
  const again = [...rows].filter(([, xml]) => xml.includes('$InstallationId:{device-4}'));
  for (const [id, xml] of again) {
    rows.delete(id);
    rows.set(`77${id}`, xml.replaceAll(id, `77${id}`));
  }
  const kept = Object.fromEntries(
    [...rows].filter(([id]) => id === '19-5-1' || id === '39-5-1' || id.startsWith('77')),
  );
  expect(Object.keys(kept)).toHaveLength(4);
  // Gone by itself.
  rows.delete('59-5-1');
  expect(await rollBack(engine, restored.id)).toMatchObject({
    status: 'Succeeded',
    counts: { total: 30, removed: 26, keptLive: 3, unchanged: 1 },
  });
  expect(rowsOf(engine)).toEqual(kept);
});

test('of a device that was completed only the added rows go', async () => {
  const engine = createEngine();
  const token = tokenOf('both');
  engine.primary.rows.set('1-1-1', anAppleRow({ id: '1-1-1', token, tags: ['a'] }));
  engine.primary.rows.set('1-1-2', anAppleRow({ id: '1-1-2', token, tags: ['b'] }));
  await backUp(engine);
  const own = anAppleRow({ id: '7-7-7', token, tags: ['a'] });
  engine.secondary.rows.set('7-7-7', own);
  const { id, counts } = await restore(engine);
  expect(counts).toMatchObject({ updated: 1 });
  expect(await rollBack(engine, id)).toMatchObject({ counts: { total: 1, removed: 1 } });
  expect(rowsOf(engine)).toEqual({ '7-7-7': own });
});

test('rows under ids the target gave out are found again', async () => {
  const engine = createEngine();
  seed(engine, 30);
  engine.secondary.refusesForeignIds = true;
  await backUp(engine);
  const { id } = await restore(engine);
  expect(await rollBack(engine, id)).toMatchObject({ counts: { removed: 30 } });
  expect(rowsOf(engine)).toEqual({});
});

test('a restore that was cancelled in the middle is rolled back as far as it had come', async () => {
  const engine = await aBackedUp(30, { policy: { maxConcurrency: 1 } });
  // One device lives already, exactly as the snapshot has it: the restore never writes it.
  const own = anAppleRow({ id: '19-5-1', tags: ['plain', 'n1'] });
  engine.secondary.rows.set('19-5-1', own);
  const { run } = await startRestore(engine.app, parseRestoreRequest(''));
  let writes = 0;
  engine.secondary.intercept = () => {
    writes += 1;
    if (writes === 12) void cancelRestore(engine.app, run.id);
    return undefined;
  };
  await engine.drain();
  engine.secondary.intercept = () => undefined;
  expect(await readRestoreView(engine.app, run.id)).toMatchObject({ status: 'Canceled' });
  expect(engine.secondary.rows.size).toBeGreaterThan(10);
  expect(await rollBack(engine, run.id)).toMatchObject({ status: 'Succeeded' });
  expect(rowsOf(engine)).toEqual({ '19-5-1': own });
});

test('what a rollback removed but still shows is removed again, and has failed when it never goes', async () => {
  const { engine, restored } = await aRestoredEngine();
  const plain = engine.secondary.deleteInstallation;
  let lost = 3;
  engine.secondary.deleteInstallation = async (id, call) => {
    if (id === 'device-6' || (id === 'device-8' && lost-- > 0)) return;
    await plain(id, call);
  };
  expect(await rollBack(engine, restored.id)).toMatchObject({
    status: 'Failed',
    error: { code: 'RestoreIncomplete', message: expect.stringContaining(`Roll back ${restored.id} again`) },
    counts: { removed: 29, failed: 1 },
    failuresByCode: { NotApplied: 1 },
    passes: 6,
  });
  engine.secondary.deleteInstallation = plain;
  expect(await rollBack(engine, restored.id)).toMatchObject({
    status: 'Succeeded',
    counts: { removed: 1, unchanged: 29 },
  });
  expect(rowsOf(engine)).toEqual({});
});

test('a device that registers the same again during the rollback stays', async () => {
  const { engine, restored } = await aRestoredEngine();
  const { deleteInstallation, putInstallation } = engine.secondary;
  engine.secondary.deleteInstallation = async (id, call) => {
    await deleteInstallation(id, call);
    if (id === 'device-6') await putInstallation(id, JSON.stringify(installationJson(id)), call);
  };
  expect(await rollBack(engine, restored.id)).toMatchObject({
    status: 'Succeeded',
    counts: { removed: 30 },
    changedSince: 1,
  });
  expect(Object.values(rowsOf(engine)).every((xml) => xml.includes('$InstallationId:{device-6}'))).toBe(true);
  expect(engine.secondary.rows.size).toBe(2);
});

test('so it does when the restore had died before it looked again', async () => {
  const engine = await aBackedUp(30);
  const { run } = await startRestore(engine.app, parseRestoreRequest(''));
  const { deleteInstallation, putInstallation, listPage } = engine.secondary;
  let lists = 0;
  engine.secondary.listPage = async (...args) => {
    lists += 1;
    if (lists === 2) await cancelRestore(engine.app, run.id);
    return listPage(...args);
  };
  await engine.drain();
  engine.secondary.deleteInstallation = async (id, call) => {
    await deleteInstallation(id, call);
    if (id === 'device-6') await putInstallation(id, JSON.stringify(installationJson(id)), call);
  };
  expect(await rollBack(engine, run.id)).toMatchObject({ counts: { removed: 30 }, changedSince: 1 });
  expect(engine.secondary.rows.size).toBe(2);
});

test('a device that registers the same again after the step that removed it died stays when the step comes again', async () => {
  const { engine, restored } = await aRestoredEngine();
  const { deleteInstallation, putInstallation } = engine.secondary;
  let hasDied = false;
  engine.secondary.deleteInstallation = async (id, call) => {
    await deleteInstallation(id, call);
    if (id !== 'device-6' || hasDied) return;
    hasDied = true;
    await putInstallation(id, JSON.stringify(installationJson(id)), call);
    throw new Error('The process dies here.');
  };
  const run = await startRollback(engine.app, restored.id, { confirm: 'three/devices' });
  await engine.drain().catch(() => {});
  engine.advance(100_000);
  await watchRuns(engine.app);
  await engine.drain();
  expect(await readRestoreView(engine.app, run.id)).toMatchObject({ status: 'Succeeded', counts: { failed: 0 } });
  expect(Object.values(rowsOf(engine)).every((xml) => xml.includes('$InstallationId:{device-6}'))).toBe(true);
  expect(engine.secondary.rows.size).toBe(2);
});

test('what a later pass of the restore had to write again is rolled back, too', async () => {
  const engine = await aBackedUp(30);
  const { listPage, findInstallation, putInstallation } = engine.secondary;
  let lists = 0;
  let puts = 0;
  engine.secondary.putInstallation = async (id, json, call) => {
    // Swallowed, so that there is a third pass.
    if (id === 'device-4' && puts++ === 0) return { kind: 'written' };
    return putInstallation(id, json, call);
  };
  engine.secondary.listPage = async (token, call) => {
    lists += 1;
    const page = await listPage(token, call);
    // A device that the second pass has seen does not show in the third.
    const isHidden = (row: Uint8Array): boolean =>
      lists === 3 && Buffer.from(row).includes('$InstallationId:{device-2}');
    return page === 'tokenLost' ? page : { ...page, rows: page.rows.filter((xml) => !isHidden(xml)) };
  };
  engine.secondary.findInstallation = async (id, call) =>
    lists === 3 && id === 'device-2' ? [] : findInstallation(id, call);
  const restored = await restore(engine);
  expect(restored).toMatchObject({ status: 'Succeeded', passes: 5, repaired: 2 });
  expect(await rollBack(engine, restored.id)).toMatchObject({ counts: { removed: 30, keptLive: 0 } });
  expect(rowsOf(engine)).toEqual({});
});

test('rolling back a retry removes what the retry wrote and no more', async () => {
  const engine = await aBackedUp(30);
  engine.secondary.intercept = (_kind, id) =>
    id === 'device-2' ? { kind: 'rejected', status: 400, reason: 'Rejected' } : undefined;
  const first = await restore(engine);
  engine.secondary.intercept = () => undefined;
  const before = rowsOf(engine);
  const retry = await startRetry(engine.app, first.id);
  await engine.drain();
  expect(await rollBack(engine, retry.id)).toMatchObject({ counts: { total: 1, removed: 1 } });
  expect(rowsOf(engine)).toEqual(before);
});

test('once the hubs have changed places, what confirms a write to one of them fits no write to the other', async () => {
  const { engine, restored } = await aRestoredEngine();
  const exchanged = engine.fork(({ primary, secondary }) => ({ primary: secondary, secondary: primary }));
  await backUp(exchanged);
  const { app } = exchanged;
  for (const confirm of ['devices', 'one/devices']) {
    expect(await codeOf(startRollback(app, restored.id, { confirm }))).toBe('ConfirmationMissing');
    const inPlace = parseRestoreRequest(JSON.stringify({ target: 'primary', confirm }));
    expect(await codeOf(startRestore(app, inPlace))).toBe('ConfirmationMissing');
  }
  await expect(startRollback(app, restored.id, {})).rejects.toThrow(
    `A rollback changes three/devices, the hub in use: it removes 30 records that ${restored.id} created, except`,
  );
  expect(await codeOf(startRollback(app, restored.id, { confirm: 'three/devices' }))).toBe('none');
});

test('before a rollback in the hub in use is confirmed, it says what devices lose by it', async () => {
  const { engine, restored } = await aRestoredEngine();
  await declareRole(engine.app, { active: 'secondary', confirm: 'three/devices' });
  await expect(startRollback(engine.app, restored.id, {})).rejects.toMatchObject({
    code: 'ConfirmationMissing',
    message:
      `A rollback changes three/devices, the hub in use: it removes 30 records that ${restored.id} created, except what has changed since. ` +
      'Devices whose records go get no notifications until they register again. ' +
      'The hub stays in use: only where devices and backends use one/devices again, say so first (notification-hubs-dr role one/devices). ' +
      'If that is meant, repeat this full name after --confirm.',
  });
});

test('what a rollback would do is said in all its parts, and of one record as of one', () => {
  const counts = { ...noCounts, total: 9, created: 1, updated: 2, withdrawn: 1 };
  const hub = { namespace: 'three', hub: 'devices' };
  const role = roleNow(undefined, { primary: { namespace: 'one', hub: 'devices' }, secondary: hub }, '');
  expect(rollbackInWords({ id: 'r1', hub }, { counts, attempted: 1 }, role)).toContain(
    'it removes 1 record that r1 created and puts back 3 records that it changed or removed and undoes what it may have written of 1 record, except',
  );
});

test('what cannot be rolled back is refused by its own code', async () => {
  const { engine, restored } = await aRestoredEngine();
  const start = (id: string, confirm?: string) =>
    codeOf(startRollback(engine.app, id, confirm === undefined ? {} : { confirm }));
  expect(await start(restored.id)).toBe('ConfirmationMissing');
  expect(await start(restored.id, 'other')).toBe('ConfirmationMissing');
  expect(await start(restored.id, 'devices')).toBe('ConfirmationMissing');
  expect(await start('unknown', 'three/devices')).toBe('RunNotFound');
  const idle = await restore(engine);
  expect(await start(idle.id, 'three/devices')).toBe('NothingToRollBack');
  const dry = await restore(engine, { dryRun: true });
  expect(await start(dry.id, 'three/devices')).toBe('NothingToRollBack');
  const { run } = await startRestore(engine.app, parseRestoreRequest(''));
  expect(await start(run.id, 'three/devices')).toBe('RunNotOver');
  await engine.drain();
  const undone = await rollBack(engine, restored.id);
  expect(await start(undone.id, 'three/devices')).toBe('NothingToRollBack');
  expect(await codeOf(startRetry(engine.app, undone.id))).toBe('NothingToRetry');
});

test('a lost or damaged journal stops the rollback before it removes anything', async () => {
  for (const damage of ['removed', 'emptied', 'cut', 'of another shard'] as const) {
    const { engine, restored } = await aRestoredEngine();
    const before = rowsOf(engine);
    const name = `_runs/restore/${restored.id}/journal/pass-2/0001.json.gz`;
    const bytes = (await engine.blobs.get(name))?.bytes ?? new Uint8Array();
    expect(bytes.length).toBeGreaterThan(100);
    const other = (await engine.blobs.get(name.replace('0001', '0002')))?.bytes ?? new Uint8Array();
    if (damage === 'removed') await engine.blobs.remove(name);
    if (damage === 'emptied') await engine.blobs.put(name, new Uint8Array(), 'any');
    if (damage === 'cut') await engine.blobs.put(name, bytes.slice(0, -20), 'any');
    if (damage === 'of another shard') await engine.blobs.put(name, other, 'any');
    expect(await rollBack(engine, restored.id), damage).toMatchObject({
      status: 'Failed',
      error: { code: 'StoredDocumentInvalid', target: name },
    });
    expect(rowsOf(engine), damage).toEqual(before);
  }
});

/** What happens to a device of the snapshot, before the restore and between the restore and its rollback. */
const fate = fc.record({
  isInstallation: fc.boolean(),
  before: fc.constantFrom('absent', 'same', 'other tags', 'under another id'),
  after: fc.constantFrom('nothing', 'nothing', 'other tags', 'the same again', 'gone', 'another row beside it'),
});

/** The rows of a device, which are known by its token. */
function deviceRows(index: number, isInstallation: boolean, tags: readonly string[]): [string, string][] {
  if (isInstallation) return anInstallation(`phone ${index}`, { tags });
  const token = tokenOf(`phone ${index}`);
  return [[`${index}-1-1`, anAppleRow({ id: `${index}-1-1`, token, tags })]];
}

const ownRow = (index: number, id: string): [string, string] => [
  id,
  anAppleRow({ id, token: tokenOf(`phone ${index}`), tags: ['own'] }),
];

test('whatever lives before, and whatever devices do after a restore, a rollback leaves exactly what is theirs', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fate, { minLength: 1, maxLength: 8 }), fc.boolean(), async (fates, refusesIds) => {
      const engine = createEngine();
      const { primary, secondary } = engine;
      secondary.refusesForeignIds = refusesIds;
      for (const [index, { isInstallation, before }] of fates.entries()) {
        for (const [id, xml] of deviceRows(index, isInstallation, ['a'])) primary.rows.set(id, xml);
        if (before === 'absent') continue;
        const rows = deviceRows(index, isInstallation, [before === 'other tags' ? 'b' : 'a']);
        const live = before === 'under another id' ? [ownRow(index, `${index}-2-2`)] : rows;
        for (const [id, xml] of live) secondary.rows.set(id, xml);
      }
      const theirs = new Map(secondary.rows);
      await backUp(engine);
      const { id, counts } = await restore(engine);
      for (const [index, { after }] of fates.entries()) {
        for (const [rowId, xml] of [...secondary.rows].filter(([, row]) => row.includes(tokenOf(`phone ${index}`)))) {
          if (after === 'gone') {
            secondary.rows.delete(rowId);
            theirs.delete(rowId);
          } else if (after === 'other tags' || after === 'the same again') {
            const content = after === 'other tags' ? xml.replace('</Tags>', ',moved-on</Tags>') : xml;
            const changed = content.replace(/<ETag>\d+</, '<ETag>5<');
            secondary.rows.set(rowId, changed);
            theirs.set(rowId, changed);
          }
        }
        if (after !== 'another row beside it') continue;
        const [rowId, xml] = ownRow(index, `${index}-3-3`);
        theirs.set(rowId, xml);
        secondary.rows.set(rowId, xml);
      }
      if (counts.created + counts.updated > 0) {
        const { status, counts: undone } = await rollBack(engine, id);
        expect(status).toBe('Succeeded');
        expect(undone.total).toBe(counts.created + counts.updated);
      }
      expect(Object.fromEntries([...secondary.rows].sort())).toEqual(Object.fromEntries([...theirs].sort()));
    }),
    { numRuns: runs(60) },
  );
});
