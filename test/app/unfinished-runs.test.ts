import { describe, expect, it } from 'vitest';
import { prune } from '../../src/app/prune.ts';
import { cancelRestore } from '../../src/app/restore/outcomes/cancel.ts';
import { startRetry } from '../../src/app/restore/retry.ts';
import { startRollback } from '../../src/app/restore/rollback.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { declareRole } from '../../src/app/runs/declare-role.ts';
import { listSnapshotViews } from '../../src/app/snapshots/view.ts';
import { DrError, RecordFault } from '../../src/core/errors.ts';
import { resultsFolder, snapshotFolder } from '../../src/core/paths.ts';
import { aBackedUp, backUp, beginRestore, contentOf, restore, runUntilWritten, seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import { hideInListing } from '../support/late-hub.ts';
import { anAppleRow, anInstallation, tokenOf } from '../support/rows.ts';

type Rows = Engine['primary']['rows'];

/** A device's own word: its row under that id, with a higher ETag than was there. */
function register(rows: Rows, id: string, tags: readonly string[], handle = id): void {
  const before = /<ETag>(\d+)<\/ETag>/.exec(rows.get(id) ?? '')?.[1] ?? '0';
  rows.set(id, anAppleRow({ id, token: tokenOf(handle), tags, etag: Number(before) + 1 }));
}

/** An installation's own word, likewise. */
function install(rows: Rows, id: string, tags: readonly string[]): void {
  for (const [rowId, xml] of rows) if (xml.includes(`$InstallationId:{${id}}`)) rows.delete(rowId);
  for (const [rowId, xml] of anInstallation(id, { tags })) rows.set(rowId, xml.replace('<ETag>1<', '<ETag>7<'));
}

/** A restore that is cancelled when all is written, before it has looked again. */
async function cancelAfterWriting(engine: Engine): Promise<string> {
  const id = await beginRestore(engine.app);
  await runUntilWritten(engine);
  await cancelRestore(engine.app, id);
  await engine.drain();
  return id;
}

/** The hubs agreed, the installation changed in the source; a restore dies right before it writes that, and is cancelled. */
async function anEngineWithARestoreCancelledBefore(installationId: string) {
  const engine = await aBackedUp();
  await restore(engine);
  install(engine.primary.rows, installationId, ['changed']);
  await backUp(engine);
  const id = await beginRestore(engine.app);
  const { findInstallation } = engine.secondary;
  engine.secondary.findInstallation = () => Promise.reject(new Error('died'));
  await expect(engine.drain()).rejects.toThrow('died');
  engine.secondary.findInstallation = findInstallation;
  await cancelRestore(engine.app, id);
  await engine.drain();
  return { engine, id };
}

async function anEngineWithACancelledRestore(): Promise<{ readonly engine: Engine; readonly id: string }> {
  const engine = await aBackedUp();
  return { engine, id: await cancelAfterWriting(engine) };
}

/** Among the devices backed up is one with two rows. */
async function anEngineWithTwins(): Promise<Engine> {
  const engine = createEngine();
  seed(engine);
  register(engine.primary.rows, '90-5-1', ['a'], 'twin');
  register(engine.primary.rows, '91-5-1', ['b'], 'twin');
  await backUp(engine);
  return engine;
}

function changeInSource({ primary }: Engine): void {
  register(primary.rows, '19-5-1', ['changed']);
  install(primary.rows, 'device-2', ['changed']);
  primary.rows.delete('39-5-1');
}

describe('what a cancelled restore wrote is known as ours by the next one', () => {
  it('also when retention would have removed its snapshot meanwhile, which goes after that', async () => {
    const engine = await aBackedUp(undefined, {
      policy: { retention: { hourly: 1, daily: 0, weekly: 0, monthly: 0 } },
    });
    await cancelAfterWriting(engine);
    changeInSource(engine);
    engine.advance(2 * 3_600_000);
    await backUp(engine);
    await prune(engine.app);
    expect(await restore(engine)).toMatchObject({
      status: 'Succeeded',
      counts: { updated: 2, withdrawn: 1, unchanged: 21, keptLive: 0 },
    });
    await prune(engine.app);
    expect(await listSnapshotViews(engine.app)).toHaveLength(1);
  });

  it('and follows what devices changed in the source since', async () => {
    const { engine } = await anEngineWithACancelledRestore();
    changeInSource(engine);
    await backUp(engine);
    expect(await restore(engine)).toMatchObject({
      status: 'Succeeded',
      counts: { updated: 2, withdrawn: 1, unchanged: 21, keptLive: 0 },
    });
    expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
  });

  it('also when the next one is cancelled, too', async () => {
    const { engine } = await anEngineWithACancelledRestore();
    changeInSource(engine);
    await backUp(engine);
    await cancelAfterWriting(engine);
    register(engine.primary.rows, '19-5-1', ['changed again']);
    register(engine.primary.rows, '59-5-1', ['changed']);
    await backUp(engine);
    expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { updated: 2, keptLive: 0 } });
    expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
    expect(await restore(engine)).toMatchObject({ counts: { unchanged: 23, total: 23 } });
  });

  it('but not what its device changed there since', async () => {
    const { engine } = await anEngineWithACancelledRestore();
    changeInSource(engine);
    await backUp(engine);
    register(engine.secondary.rows, '19-5-1', ['its own']);
    expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { updated: 1, unknownOrigin: 1 } });
    expect(engine.secondary.rows.get('19-5-1')).toContain('<Tags>its own</Tags>');
  });

  it('and a dry run says so', async () => {
    const { engine } = await anEngineWithACancelledRestore();
    changeInSource(engine);
    await backUp(engine);
    expect(await restore(engine, { dryRun: true })).toMatchObject({ counts: { updated: 2, withdrawn: 1 } });
  });

  it('also after the hubs are exchanged: what changed there before it was in use stays', async () => {
    const { engine } = await anEngineWithACancelledRestore();
    register(engine.primary.rows, '19-5-1', ['newer']);
    await backUp(engine);
    const exchanged = engine.fork(({ primary, secondary }) => ({ primary: secondary, secondary: primary }));
    await backUp(exchanged);
    expect(await restore(exchanged)).toMatchObject({ status: 'Succeeded', counts: { keptLive: 1, updated: 0 } });
    expect(exchanged.primary.rows.get('19-5-1')).toContain('<Tags>newer</Tags>');
  });
});

it("what the next one's listing passes over of a cancelled restore is known as ours, too", async () => {
  const { engine } = await anEngineWithACancelledRestore();
  register(engine.primary.rows, '19-5-1', ['changed'], 'new phone');
  register(engine.primary.rows, '39-5-1', ['changed']);
  await backUp(engine);
  const { listPage } = engine.secondary;
  engine.secondary.listPage = async (token, options) => {
    const page = await listPage(token, options);
    if (page === 'tokenLost') return page;
    engine.secondary.listPage = listPage;
    const isPassedOver = (bytes: Uint8Array): boolean => /(?:>19-5-1|>39-5-1)</.test(Buffer.from(bytes).toString());
    return { ...page, rows: page.rows.filter((bytes) => !isPassedOver(bytes)) };
  };
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { keptLive: 0 } });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

it('a record that the next one cannot ask for, and its listing does not show, is set aside alone', async () => {
  const { engine } = await anEngineWithACancelledRestore();
  const { findInstallation, rows } = engine.secondary;
  for (const [id, xml] of rows) if (xml.includes('{device-2}')) rows.delete(id);
  engine.secondary.findInstallation = (id, options) => {
    if (id !== 'device-2') return findInstallation(id, options);
    return Promise.reject(new RecordFault('HubUnavailable', 'It fails at this one.', { retryable: true, status: 500 }));
  };
  expect(await restore(engine)).toMatchObject({
    status: 'Failed',
    error: { code: 'RestoreIncomplete' },
    counts: { failed: 1, unchanged: 23 },
  });
});

it('an installation is not half written by an earlier restore because the listing passes over one of its rows', async () => {
  const { engine } = await anEngineWithARestoreCancelledBefore('device-2');
  engine.advance(600_000);
  const { listPage } = engine.secondary;
  const isNative = (bytes: Uint8Array): boolean => {
    const xml = Buffer.from(bytes).toString();
    return xml.includes('{device-2}') && !xml.includes('<TemplateName>');
  };
  engine.secondary.listPage = async (token, options) => {
    const page = await listPage(token, options);
    return page === 'tokenLost' ? page : { ...page, rows: page.rows.filter((bytes) => !isNative(bytes)) };
  };
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { updated: 1, keptLive: 0 } });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

it('an installation that a cancelled restore created is ours, also where the listing passes over one of its rows', async () => {
  const { engine } = await anEngineWithACancelledRestore();
  hideInListing(engine, 1, (xml) => xml.includes('{device-2}') && xml.includes('<TemplateName>'));
  expect(await restore(engine)).toMatchObject({ counts: { total: 24, unchanged: 24 } });
  changeInSource(engine);
  await backUp(engine);
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { updated: 2, withdrawn: 1 } });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

it('a row that its device registered again during the listing is not taken for a second one of the earlier restore', async () => {
  const { engine } = await anEngineWithACancelledRestore();
  const { rows } = engine.secondary;
  register(rows, '19-7-1', ['plain', 'n1'], '19-5-1');
  const { listPage } = engine.secondary;
  engine.secondary.listPage = async (token, options) => {
    const page = await listPage(token, options);
    engine.secondary.listPage = listPage;
    rows.delete('19-5-1');
    return page;
  };
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { unchanged: 24 } });
  expect(rows.has('19-7-1')).toBe(true);
});

it('what a failed restore wrote is known as ours by the next one', async () => {
  const engine = await aBackedUp();
  engine.secondary.intercept = (_, id) => {
    if (id === '239-5-1') throw new DrError('QuotaExceeded', 'The hub takes no more devices.');
    return undefined;
  };
  expect(await restore(engine)).toMatchObject({ status: 'Failed', error: { code: 'QuotaExceeded' } });
  const written = contentOf(engine.secondary).length;
  expect(written).toBeGreaterThan(0);
  engine.secondary.intercept = () => undefined;
  for (let index = 1; index < 24; index += 2) register(engine.primary.rows, `${index}9-5-1`, ['changed']);
  await backUp(engine);
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { keptLive: 0 } });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

it('a cancelled restore that was rolled back is forgotten', async () => {
  const { engine, id } = await anEngineWithACancelledRestore();
  await startRollback(engine.app, id, { confirm: 'three/devices' });
  await engine.drain();
  // Its device says the same there by itself, and is not overwritten.
  register(engine.secondary.rows, '19-5-1', ['plain', 'n1']);
  register(engine.primary.rows, '19-5-1', ['changed']);
  await backUp(engine);
  expect(await restore(engine)).toMatchObject({ counts: { created: 23, unknownOrigin: 1 } });
});

it('what is rolled back after it had been taken over is known again', async () => {
  const { engine, id } = await anEngineWithACancelledRestore();
  install(engine.primary.rows, 'device-2', ['changed']);
  await backUp(engine);
  const second = await restore(engine);
  await startRollback(engine.app, second.id, { confirm: 'three/devices' });
  await engine.drain();
  register(engine.primary.rows, '19-5-1', ['changed']);
  await backUp(engine);
  expect(await restore(engine)).toMatchObject({ counts: { unknownOrigin: 0, keptLive: 0 } });
  expect(id).not.toBe(second.id);
});

it('what is rolled back with a newer restore, the newest first, is known again', async () => {
  const { engine } = await anEngineWithACancelledRestore();
  // By then all that it wrote shows.
  engine.advance(600_000);
  const ids: string[] = [];
  for (const tags of [['changed'], ['changed again']]) {
    install(engine.primary.rows, 'device-2', tags);
    await backUp(engine);
    ids.push((await restore(engine)).id);
    engine.advance(600_000);
  }
  for (const id of ids.reverse()) {
    await startRollback(engine.app, id, { confirm: 'three/devices' });
    await engine.drain();
  }
  register(engine.primary.rows, '19-5-1', ['changed']);
  await backUp(engine);
  expect(await restore(engine)).toMatchObject({ counts: { updated: 2, unknownOrigin: 0, keptLive: 0 } });
});

it('a write that shows late, after the next restore, is known by the one after', async () => {
  const { engine } = await anEngineWithACancelledRestore();
  const late = [...engine.secondary.rows].filter(([, xml]) => xml.includes('{device-2}'));
  for (const [rowId] of late) engine.secondary.rows.delete(rowId);
  install(engine.primary.rows, 'device-2', ['changed']);
  await backUp(engine);
  await restore(engine);
  for (const [rowId, xml] of engine.secondary.rows) if (xml.includes('{device-2}')) engine.secondary.rows.delete(rowId);
  for (const [rowId, xml] of late) engine.secondary.rows.set(rowId, xml);
  expect(await restore(engine)).toMatchObject({ counts: { updated: 1, keptLive: 0 } });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

it('a device of which only some rows were written is ours, too', async () => {
  const engine = await anEngineWithTwins();
  await cancelAfterWriting(engine);
  engine.secondary.rows.delete('91-5-1');
  engine.primary.rows.delete('90-5-1');
  engine.primary.rows.delete('91-5-1');
  await backUp(engine);
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { withdrawn: 1, unchanged: 24 } });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

it.each([
  ['whose handle', 'another'],
  ['whose tags', 'twin'],
])('a device %s changed, and of which only some rows were written, follows its source', async (_, handle) => {
  const engine = await anEngineWithTwins();
  await restore(engine);
  const before = engine.secondary.rows.get('91-5-1') ?? '';
  register(engine.primary.rows, '90-5-1', ['changed'], handle);
  register(engine.primary.rows, '91-5-1', ['changed too'], handle);
  await backUp(engine);
  await cancelAfterWriting(engine);
  engine.secondary.rows.set('91-5-1', before);
  register(engine.primary.rows, '90-5-1', ['changed again'], handle);
  await backUp(engine);
  expect(await restore(engine, { leftovers: 'keep' })).toMatchObject({ status: 'Succeeded', counts: { updated: 1 } });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

it('a move of which only the first half was made is finished', async () => {
  const engine = await aBackedUp();
  await restore(engine);
  const [before = '', row = ''] = [engine.secondary, engine.primary].map(({ rows }) => rows.get('19-5-1'));
  engine.primary.rows.delete('19-5-1');
  engine.primary.rows.set('19-6-1', row.replace('>19-5-1<', '>19-6-1<'));
  await backUp(engine);
  await cancelAfterWriting(engine);
  engine.secondary.rows.set('19-5-1', before);
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { moved: 1, unchanged: 23 } });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

it('a device that lost one of its rows after the hubs had agreed on its renewal gets it back', async () => {
  const engine = await anEngineWithTwins();
  await restore(engine);
  register(engine.primary.rows, '91-5-1', ['b'], 'twin');
  await backUp(engine);
  await restore(engine);
  engine.secondary.rows.delete('90-5-1');
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { updated: 1, unchanged: 24 } });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

it('a device of which only some rows were written is completed by an older snapshot, too', async () => {
  const engine = await anEngineWithTwins();
  const before = contentOf(engine.primary);
  const id = await cancelAfterWriting(engine);
  engine.secondary.rows.delete('91-5-1');
  register(engine.primary.rows, '90-5-1', ['changed'], 'twin');
  await backUp(engine);
  await restore(engine, { only: { platforms: ['FcmV1'] } });
  const { snapshot } = await readRestoreView(engine.app, id);
  expect(await restore(engine, { snapshot: snapshot.id })).toMatchObject({ counts: { updated: 1, unchanged: 24 } });
  expect(contentOf(engine.secondary)).toEqual(before);
});

it('a device that leaves out one of its rows in the hub that came into use loses it in the other', async () => {
  const engine = await anEngineWithTwins();
  await restore(engine);
  const exchanged = engine.fork(({ primary, secondary }) => ({ primary: secondary, secondary: primary }));
  exchanged.secondary.rows.delete('91-5-1');
  await backUp(exchanged);
  expect(await restore(exchanged)).toMatchObject({ status: 'Succeeded', counts: { updated: 1, unchanged: 24 } });
  expect(contentOf(exchanged.primary)).toEqual(contentOf(exchanged.secondary));
});

it('a repair that takes effect after the last look is no word of its device', async () => {
  const engine = await aBackedUp();
  let isDropped = false;
  engine.secondary.intercept = (_, id) => {
    if (id !== 'device-2' || isDropped) return undefined;
    isDropped = true;
    return { kind: 'written' };
  };
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', repaired: 1 });
  for (const [rowId, xml] of engine.secondary.rows)
    if (xml.includes('{device-2}')) engine.secondary.rows.set(rowId, xml.replace(/<ETag>\d+</, '<ETag>77<'));
  install(engine.primary.rows, 'device-2', ['changed']);
  await backUp(engine);
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { updated: 1, conflict: 0 } });
});

it('a restore begun right after one that ended early gives its writes the time to show', async () => {
  const { engine } = await anEngineWithACancelledRestore();
  await beginRestore(engine.app);
  expect((engine.queue.nextAt() ?? 0) - engine.app.world.now()).toBe(10_000);
});

it('a retry of a restore that withdraws also withdraws', async () => {
  const engine = await aBackedUp();
  await restore(engine);
  engine.primary.rows.delete('39-5-1');
  await backUp(engine);
  const id = await beginRestore(engine.app);
  await cancelRestore(engine.app, id);
  await engine.drain();
  const retry = await startRetry(engine.app, id);
  await engine.drain();
  expect(await readRestoreView(engine.app, retry.id)).toMatchObject({ counts: { withdrawn: 1 } });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

it('a restore does without what it cannot read of an unfinished one', async () => {
  const { engine } = await anEngineWithACancelledRestore();
  const [shard] = await engine.blobs.list(`${snapshotFolder(engine.primary.ref, await backUp(engine))}shards/`);
  const [old] = (await engine.blobs.list('one/devices/snapshots/')).filter(({ name }) => name.includes('/shards/'));
  expect(old?.name).not.toBe(shard?.name);
  await engine.blobs.put(old?.name ?? '', Buffer.from('damaged'), 'any');
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { unchanged: 24 } });
});

it.each([
  {
    of: 'a damaged shard',
    lose: (engine: Engine, name: string) => engine.blobs.put(name, Buffer.from('damaged'), 'any'),
  },
  {
    of: 'no snapshot',
    lose: (engine: Engine, name: string) => engine.blobs.remove(name.replace(/shards.*/, 'manifest.json')),
  },
])('and says so where devices changed since, with $of', async ({ lose }) => {
  const { engine } = await anEngineWithACancelledRestore();
  const old = (await engine.blobs.list('one/devices/snapshots/')).filter(({ name }) => name.includes('/shards/0'));
  changeInSource(engine);
  engine.advance(600_000);
  await backUp(engine);
  const whole = engine.fork();
  for (const { name } of old) await lose(engine, name);
  const isSaid = ({ warnings }: Awaited<ReturnType<typeof restore>>): boolean =>
    warnings.some((text) => text.startsWith('What a restore wrote that was stopped is not known'));
  const view = await restore(engine);
  expect(view).toMatchObject({ status: 'Succeeded' });
  expect(isSaid(view)).toBe(true);
  expect(view.counts.unknownOrigin).toBeGreaterThan(0);
  const known = await restore(whole);
  expect(known).toMatchObject({ status: 'Succeeded', counts: { updated: 2, unknownOrigin: 0 } });
  expect(isSaid(known)).toBe(false);
});

/** Hubs that agreed, a restore of what changed since, and a rollback of it that died when it had put back most of that. */
async function anEngineWithARollbackCancelledHalfWay() {
  const engine = await aBackedUp();
  await restore(engine);
  engine.advance(600_000);
  for (let index = 0; index < 12; index += 2) install(engine.primary.rows, `device-${index}`, ['changed']);
  for (let index = 1; index < 12; index += 2) register(engine.primary.rows, `${index}9-5-1`, ['changed']);
  for (const index of [20, 21, 22, 23, 24]) register(engine.primary.rows, `new-${index}`, ['new']);
  engine.primary.rows.delete('239-5-1');
  await backUp(engine);
  const { id, counts } = await restore(engine);
  expect(counts).toMatchObject({ created: 5, updated: 12, withdrawn: 1 });
  const rollback = await startRollback(engine.app, id, { confirm: 'three/devices' });
  const { putInstallation } = engine.secondary;
  let count = 0;
  engine.secondary.putInstallation = (...args) => {
    count += 1;
    return count > 4 ? Promise.reject(new Error('died')) : putInstallation(...args);
  };
  await expect(engine.drain()).rejects.toThrow('died');
  engine.secondary.putInstallation = putInstallation;
  await cancelRestore(engine.app, rollback.id);
  await engine.drain();
  engine.advance(600_000);
  const view = await readRestoreView(engine.app, rollback.id);
  expect(view).toMatchObject({ status: 'Canceled', counts: { removed: 5, putBack: 11, pending: 2 } });
  return { engine, id, rollbackId: rollback.id };
}

const ALL_OURS = { created: 5, withdrawn: 1, keptLive: 0, conflict: 0, unknownOrigin: 0, leftover: 0 };

it('what a rollback that stops half way has put back, or removed, is no device’s own word', async () => {
  const { engine } = await anEngineWithARollbackCancelledHalfWay();
  const own = anAppleRow({ id: '19-5-1', tags: ['own'], etag: 9 });
  engine.secondary.rows.set('19-5-1', own);
  const counts = { ...ALL_OURS, updated: 9, keptLive: 1 };
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts });
  expect(engine.secondary.rows.get('19-5-1')).toBe(own);
  engine.secondary.rows.set('19-5-1', engine.primary.rows.get('19-5-1') ?? '');
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

it('nor where the listing passes over a row of it', async () => {
  const { engine } = await anEngineWithARollbackCancelledHalfWay();
  hideInListing(engine, 1, (xml) => /{device-[0246]}/.test(xml) && xml.includes('<TemplateName>'));
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { ...ALL_OURS, updated: 10 } });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

it('nor once it is rolled back again', async () => {
  const { engine, id } = await anEngineWithARollbackCancelledHalfWay();
  await startRollback(engine.app, id, { confirm: 'three/devices' });
  await engine.drain();
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { ...ALL_OURS, updated: 12 } });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

it('a restore does without what it cannot read of a rollback that stopped half way', async () => {
  const { engine, rollbackId } = await anEngineWithARollbackCancelledHalfWay();
  const results = await engine.blobs.list(resultsFolder('restore', rollbackId, 1, 'reconcile'));
  expect(results.length).toBeGreaterThan(0);
  for (const { name } of results) await engine.blobs.put(name, Buffer.from('damaged'), 'any');
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { failed: 0 } });
});

it('who leaves the hub in use stays out, though a cancelled restore was about to write over its record', async () => {
  const { engine, id } = await anEngineWithARestoreCancelledBefore('device-2');
  engine.advance(60_000);
  await declareRole(engine.app, { active: 'secondary', confirm: 'three/devices', force: true });
  engine.advance(60_000);
  for (const [rowId, xml] of engine.secondary.rows) {
    if (xml.includes('$InstallationId:{device-2}')) engine.secondary.rows.delete(rowId);
  }
  const retry = await startRetry(engine.app, id, { confirm: 'three/devices' });
  await engine.drain();
  expect(await readRestoreView(engine.app, retry.id)).toMatchObject({
    status: 'Succeeded',
    counts: { goneInTarget: 1 },
  });
  expect([...engine.secondary.rows.values()].join()).not.toContain('$InstallationId:{device-2}');
});

it('what fingerprints tell of an unfinished run costs no download of its snapshot', async () => {
  const read: string[] = [];
  const engine = createEngine({
    wrap: ({ blobs }) => ({
      blobs: {
        ...blobs,
        get: (name, how) => {
          read.push(name);
          return blobs.get(name, how);
        },
      },
    }),
  });
  seed(engine);
  await backUp(engine);
  await restore(engine);
  read.length = 0;
  expect(await restore(engine)).toMatchObject({ counts: { unchanged: 24 } });
  // Each of the four is read to be proven, and by steps that need its texts.
  expect(read.filter((name) => name.includes('/shards/')).length).toBeLessThanOrEqual(8);
});
