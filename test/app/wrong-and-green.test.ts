import { expect, it } from 'vitest';
import { cancelRestore } from '../../src/app/restore/outcomes/cancel.ts';
import { startRetry } from '../../src/app/restore/retry.ts';
import { startRollback } from '../../src/app/restore/rollback.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { findRun } from '../../src/app/runs/store.ts';
import { DrError } from '../../src/core/errors.ts';
import {
  aBackedUp,
  backUp,
  beginRestore,
  begunWith,
  contentOf,
  restore,
  runToEnd,
  runUntilWritten,
  seed,
} from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import { anAppleRow, anInstallation, tokenOf } from '../support/rows.ts';

type Rows = Engine['primary']['rows'];

function register(rows: Rows, id: string, handle: string, tags: readonly string[]): void {
  const before = /<ETag>(\d+)<\/ETag>/.exec(rows.get(id) ?? '')?.[1] ?? '0';
  rows.set(id, anAppleRow({ id, token: tokenOf(handle), tags, etag: Number(before) + 1 }));
}

function install(rows: Rows, id: string, token = tokenOf(id), etag = 1): void {
  for (const [rowId, xml] of anInstallation(id, { token, etag })) rows.set(rowId, xml);
}

/** 24 devices, and two registrations of their own ids. */
async function aRehearsed(): Promise<Engine> {
  const { engine } = await begunWith(['wrong-and-green'], async () => {
    const first = createEngine();
    seed(first);
    register(first.primary.rows, '90-5-1', 'a', ['x']);
    register(first.primary.rows, '91-5-1', 'b', ['y']);
    await backUp(first);
    await restore(first);
    return { engine: first };
  });
  return engine;
}

async function restoreToEnd(engine: Engine) {
  const id = await beginRestore(engine.app);
  await runToEnd(engine, 'restore', id);
  return readRestoreView(engine.app, id);
}

async function rollBack(engine: Engine, id: string) {
  const { id: rollbackId } = await startRollback(engine.app, id, { confirm: 'three/devices' });
  await runToEnd(engine, 'restore', rollbackId);
  return readRestoreView(engine.app, rollbackId);
}

it('a rollback keeps a device whose registration moved to the id of another one that left', async () => {
  const engine = await aRehearsed();
  const before = contentOf(engine.secondary);
  engine.primary.rows.delete('90-5-1');
  register(engine.primary.rows, '91-5-1', 'a', ['x']);
  await backUp(engine);
  const { id, counts } = await restore(engine);
  expect(counts).toMatchObject({ moved: 1, withdrawn: 1 });
  await rollBack(engine, id);
  expect(contentOf(engine.secondary)).toEqual(before);
});

it('a rollback puts back three records that exchanged their handles in a ring, an installation among them', async () => {
  const engine = createEngine();
  seed(engine);
  register(engine.primary.rows, '90-5-1', 'a', ['x']);
  register(engine.primary.rows, '91-5-1', 'b', ['y']);
  install(engine.primary.rows, 'phone', tokenOf('c'));
  await backUp(engine);
  await restore(engine);
  const before = contentOf(engine.secondary);
  register(engine.primary.rows, '90-5-1', 'c', ['x']);
  register(engine.primary.rows, '91-5-1', 'a', ['y']);
  install(engine.primary.rows, 'phone', tokenOf('b'), 2);
  await backUp(engine);
  const { id } = await restore(engine);
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
  expect(await rollBack(engine, id)).toMatchObject({ status: 'Succeeded' });
  expect(contentOf(engine.secondary)).toEqual(before);
});

it('a restore of selected records leaves a device that it is not about, also where it needs the id of its row', async () => {
  const engine = await aRehearsed();
  register(engine.primary.rows, '90-5-1', 'c', ['selected']);
  register(engine.primary.rows, '92-5-1', 'a', ['x']);
  await backUp(engine);
  await restore(engine, { only: { tags: 'selected' } });
  expect(contentOf(engine.secondary)).toContainEqual(expect.stringContaining(tokenOf('a')));
});

it('a restore of selected records leaves the device that exchanged its handle with one of them', async () => {
  const engine = await aRehearsed();
  register(engine.primary.rows, '90-5-1', 'b', ['x']);
  register(engine.primary.rows, '91-5-1', 'a', ['y']);
  await backUp(engine);
  await restore(engine, { only: { tags: 'x' } });
  expect(contentOf(engine.secondary)).toContainEqual(expect.stringContaining(tokenOf('a')));
});

it('nothing is withdrawn when the source was seen empty since the hubs agreed', async () => {
  const engine = createEngine();
  for (let index = 0; index < 20; index += 1) install(engine.primary.rows, `device-${index}`);
  await backUp(engine);
  await restore(engine);
  engine.primary.rows.clear();
  await backUp(engine);
  for (let index = 0; index < 17; index += 1) install(engine.primary.rows, `device-${index}`);
  await backUp(engine);
  const before = contentOf(engine.secondary);
  expect(await restore(engine)).toMatchObject({ counts: { leftover: 3, withdrawn: 0 } });
  expect(contentOf(engine.secondary)).toEqual(before);
});

it('a retry of a cancelled restore is not green while what that wrote has not taken effect', async () => {
  const engine = createEngine();
  for (let index = 0; index < 20; index += 1) install(engine.primary.rows, `device-${index}`);
  await backUp(engine);
  const id = await beginRestore(engine.app);
  let writes = 0;
  engine.secondary.intercept = () => {
    writes += 1;
    if (writes === 10) void cancelRestore(engine.app, id);
    return writes === 2 ? { kind: 'written' } : undefined;
  };
  await engine.drain();
  engine.advance(600_000);
  const retry = await startRetry(engine.app, id);
  await engine.drain();
  expect(await readRestoreView(engine.app, retry.id)).toMatchObject({ status: 'Succeeded' });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

it('a repair in place leaves what an unfinished restore wrote to the next restore between the hubs', async () => {
  const engine = await aBackedUp();
  const id = await beginRestore(engine.app);
  const { listPage } = engine.secondary;
  let listings = 0;
  engine.secondary.listPage = async (token, options) => {
    listings += 1;
    if (listings === 2) await cancelRestore(engine.app, id);
    return listPage(token, options);
  };
  await engine.drain();
  engine.advance(600_000);
  await restore(engine, { target: 'primary', confirm: 'one/devices' });
  register(engine.primary.rows, '19-5-1', '19-5-1', ['changed']);
  await backUp(engine);
  expect(await restore(engine)).toMatchObject({ counts: { updated: 1, unchanged: 23, unknownOrigin: 0 } });
});

it('what a restore that still runs has written is known as ours in the other direction', async () => {
  const engine = await aBackedUp();
  const first = await beginRestore(engine.app);
  await runUntilWritten(engine);
  engine.primary.rows.delete('19-5-1');
  const exchanged = engine.fork(({ primary, secondary }) => ({ primary: secondary, secondary: primary }));
  // Its next step is lost.
  exchanged.advance(60_000);
  exchanged.queue.take();
  await backUp(exchanged);
  expect(await findRun(exchanged.app, 'restore', first)).toMatchObject({ status: 'Running' });
  expect(await restore(exchanged)).toMatchObject({ counts: { goneInTarget: 1, created: 0 } });
});

it('a rollback leaves a row that its device made again under the id, and the version, that the restore left', async () => {
  const engine = await aRehearsed();
  register(engine.primary.rows, '90-5-1', 'c', ['x']);
  await backUp(engine);
  const { id } = await restore(engine);
  const { listPage } = engine.secondary;
  let listings = 0;
  engine.secondary.listPage = async (token, options) => {
    listings += 1;
    // The row that the first pass has put back is the first version of its id.
    const own = anAppleRow({ id: '90-5-1', token: tokenOf('c'), tags: ['own'], etag: 2 });
    if (listings === 2) engine.secondary.rows.set('90-5-1', own);
    return listPage(token, options);
  };
  await rollBack(engine, id);
  expect(engine.secondary.rows.get('90-5-1')).toContain('own');
});

it('an update of two rows is finished where the answer to the first was lost', async () => {
  const engine = await aRehearsed();
  for (const id of ['92-5-1', '93-5-1']) register(engine.primary.rows, id, 'twin', [id]);
  await backUp(engine);
  await restore(engine);
  for (const id of ['92-5-1', '93-5-1']) register(engine.primary.rows, id, 'twin', [id, 'changed']);
  await backUp(engine);
  const { putRegistration } = engine.secondary;
  let isLost = false;
  engine.secondary.putRegistration = async (...args) => {
    const answer = await putRegistration(...args);
    if (isLost) return answer;
    isLost = true;
    throw new DrError('HubUnavailable', 'The hub is away.', { retryable: true });
  };
  const view = await restoreToEnd(engine);
  expect(view).toMatchObject({ status: 'Succeeded', counts: { updated: 1 }, changedSince: 0 });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

it('two rows of a device do not share an id that the target gave out for one and the snapshot has for the other', async () => {
  const engine = createEngine();
  engine.secondary.refusesForeignIds = true;
  register(engine.primary.rows, '90-5-1', 'a', ['x']);
  await backUp(engine);
  await restore(engine);
  const [minted = ''] = engine.secondary.rows.keys();
  register(engine.primary.rows, minted, 'a', ['y']);
  await backUp(engine);
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded' });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

it('the bound for withdrawals counts what a step that died had found to be withdrawn', async () => {
  const engine = createEngine();
  for (let index = 0; index < 200; index += 1) install(engine.primary.rows, `device-${index}`);
  await backUp(engine);
  await restore(engine);
  for (let index = 0; index < 24; index += 1) {
    for (const [rowId] of anInstallation(`device-${index}`)) engine.primary.rows.delete(rowId);
  }
  await backUp(engine);
  let isDead = false;
  const dying = engine.fork(({ blobs, primary }) => ({
    primary: {
      ...primary,
      // The source answers the step that dies, and not the one that takes up its work.
      findInstallation: async (...args) => {
        if (isDead) throw new DrError('HubUnavailable', 'The hub is away.', { retryable: true });
        return primary.findInstallation(...args);
      },
    },
    blobs: {
      ...blobs,
      put: async (name, ...rest) => {
        if (!isDead && name.includes('/seal/pass-1/0003')) {
          isDead = true;
          throw new DrError('StorageUnavailable', 'It is away.', { retryable: true });
        }
        return blobs.put(name, ...rest);
      },
    },
  }));
  expect(await restoreToEnd(dying)).toMatchObject({ status: 'Succeeded', counts: { withdrawn: 0, leftover: 24 } });
});

it('a device whose former row is withdrawn is created, also by a step that is repeated when the source is silent', async () => {
  const engine = await aRehearsed();
  engine.primary.rows.delete('90-5-1');
  install(engine.primary.rows, 'phone', tokenOf('a'));
  await backUp(engine);
  const { put } = engine.blobs;
  let isStruck = false;
  engine.blobs.put = async (name, ...rest) => {
    if (isStruck || !name.includes('/seal/pass-1/')) return put(name, ...rest);
    isStruck = true;
    engine.primary.findRegistration = async () => {
      throw new DrError('HubUnavailable', 'away', { retryable: true });
    };
    throw new DrError('StorageUnavailable', 'away', { retryable: true });
  };
  await restoreToEnd(engine);
  const phones = [...engine.secondary.rows.values()].filter((xml) => xml.includes(tokenOf('a')));
  expect(isStruck).toBe(true);
  expect(phones.length).toBeGreaterThan(0);
});
