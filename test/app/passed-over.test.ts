import { expect, test } from 'vitest';
import { startRollback } from '../../src/app/restore/rollback.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { aBackedUp, backUp, contentOf, restore } from '../support/drive.ts';
import type { MemoryHub } from '../support/memory-hub.ts';
import { anAppleRow, anInstallation, tokenOf } from '../support/rows.ts';

/** Listings by offset pass over rows. */

const id = '19-5-1';

/** The target's listings, but the first, pass over some rows, each one over its own. */
function passOver(hub: MemoryHub, isLeftOut: (xml: string, listing: number) => boolean): void {
  const { listPage } = hub;
  let listing = 0;
  hub.listPage = async (token, options) => {
    if (token === undefined) listing += 1;
    const page = await listPage(token, options);
    if (page === 'tokenLost' || listing === 1) return page;
    return { ...page, rows: page.rows.filter((bytes) => !isLeftOut(Buffer.from(bytes).toString(), listing)) };
  };
}

test.each([id, 'device-0'])('what a listing always passes over is asked for: %s', async (name) => {
  const engine = await aBackedUp();
  passOver(engine.secondary, (xml) => xml.includes(`>${name}<`) || xml.includes(`{${name}}`));
  const view = await restore(engine);
  expect(view).toMatchObject({ status: 'Succeeded', counts: { created: 24, failed: 0 }, repaired: 0, passes: 2 });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

test('what is missing when asked for is written again', async () => {
  const engine = await aBackedUp();
  const { intercept } = engine.secondary;
  let isLost = false;
  engine.secondary.intercept = (...args) => {
    if (args[1] !== id || isLost) return intercept(...args);
    isLost = true;
    return { kind: 'written' };
  };
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { created: 24 }, repaired: 1 });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

test('what its device changed meanwhile is not overwritten where the listing passes over it', async () => {
  const engine = await aBackedUp();
  const own = anAppleRow({ id, tags: ['own'], etag: 2 });
  passOver(engine.secondary, (xml) => {
    engine.secondary.rows.set(id, own);
    return xml.includes(`>${id}<`);
  });
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', changedSince: 1, repaired: 0 });
  expect(engine.secondary.rows.get(id)).toBe(own);
});

test('a created row that the listing passes over, and whose device registered by itself, is taken back', async () => {
  const engine = await aBackedUp();
  const installation = anInstallation('app', { token: tokenOf(id) });
  const { putRegistration } = engine.secondary;
  engine.secondary.putRegistration = async (rowId, ...args) => {
    if (rowId === id) for (const [ownId, row] of installation) engine.secondary.rows.set(ownId, row);
    return putRegistration(rowId, ...args);
  };
  passOver(engine.secondary, (xml, listing) => listing === 2 && xml.includes(`>${id}<`));
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { created: 23 }, takenBack: 1 });
  expect(engine.secondary.rows.has(id)).toBe(false);
});

test('what the last listing passed over is agreed on: it is updated when it changes in the source', async () => {
  const engine = await aBackedUp();
  passOver(
    engine.secondary,
    (xml, listing) => listing === 2 && (xml.includes(`>${id}<`) || xml.includes('{device-0}')),
  );
  await restore(engine);
  engine.primary.rows.set(id, anAppleRow({ id, tags: ['changed'], etag: 2 }));
  for (const [rowId, row] of anInstallation('device-0', { tags: ['changed'] }))
    engine.primary.rows.set(rowId, row.replace('<ETag>1<', '<ETag>2<'));
  await backUp(engine);
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { updated: 2, unchanged: 22 } });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

test.each([
  ['an installation', 'device-0'],
  ['a row of it', 'alert'],
])('what a rollback puts back is asked for where listings pass over %s', async (_, name) => {
  const engine = await aBackedUp();
  await restore(engine);
  for (const [rowId, row] of anInstallation('device-0', { tags: ['changed'], etag: 2 }))
    engine.primary.rows.set(rowId, row);
  await backUp(engine);
  const before = contentOf(engine.secondary);
  const { id: restoreId } = await restore(engine);
  expect(contentOf(engine.secondary)).not.toEqual(before);
  passOver(engine.secondary, (xml) => xml.includes('{device-0}') && xml.includes(name));
  const { id: rollbackId } = await startRollback(engine.app, restoreId, { confirm: 'three/devices' });
  await engine.drain();
  const view = await readRestoreView(engine.app, rollbackId);
  expect(view).toMatchObject({ status: 'Succeeded', counts: { putBack: 1, failed: 0 }, changedSince: 0 });
  expect(contentOf(engine.secondary)).toEqual(before);
});
