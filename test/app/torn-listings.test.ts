import { expect, it } from 'vitest';
import { startRollback } from '../../src/app/restore/rollback.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { declareRole } from '../../src/app/runs/declare-role.ts';
import { DrError } from '../../src/core/errors.ts';
import { backUp, begunWith, contentOf, restore, runToEnd, seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import type { MemoryHub } from '../support/memory-hub.ts';
import { anAppleRow, anInstallation, tokenOf } from '../support/rows.ts';

/** Listings by offset pass over some rows of a device and show others. */

type IsLeftOut = (xml: string, listing: number) => boolean;

function passOver(hub: MemoryHub, isLeftOut: IsLeftOut): () => void {
  const { listPage } = hub;
  let listing = 0;
  hub.listPage = async (token, options) => {
    if (token === undefined) listing += 1;
    const page = await listPage(token, options);
    if (page === 'tokenLost') return page;
    return { ...page, rows: page.rows.filter((bytes) => !isLeftOut(Buffer.from(bytes).toString(), listing)) };
  };
  return () => {
    hub.listPage = listPage;
  };
}

function register(hub: MemoryHub, id: string, tags: readonly string[], handle = 'phone'): void {
  const before = /<ETag>(\d+)<\/ETag>/.exec(hub.rows.get(id) ?? '')?.[1] ?? '0';
  hub.rows.set(id, anAppleRow({ id, token: tokenOf(handle), tags, etag: Number(before) + 1 }));
}

function install(hub: MemoryHub, id: string, tags: readonly string[], etag: number): void {
  for (const [rowId, xml] of anInstallation(id, { tags, etag })) hub.rows.set(rowId, xml);
}

/** Both hubs hold 24 devices, and one with two registrations. */
async function aPair(): Promise<Engine> {
  const { engine } = await begunWith(['torn-listings'], async () => {
    const first = createEngine();
    seed(first);
    for (const id of ['90-5-1', '91-5-1']) register(first.primary, id, [id]);
    await backUp(first);
    await restore(first);
    return { engine: first };
  });
  return engine;
}

async function backUpTorn(engine: Engine, isLeftOut: IsLeftOut): Promise<void> {
  const restoreListing = passOver(engine.primary, isLeftOut);
  await backUp(engine);
  restoreListing();
}

const isTemplateOfDevice0: IsLeftOut = (xml) => xml.includes('{device-0}') && xml.includes('BodyTemplate');
const isSecondRow: IsLeftOut = (xml) => xml.includes('>91-5-1<');

it('an update takes no row from the target that the source still holds', async () => {
  const engine = await aPair();
  install(engine.primary, 'device-0', ['changed'], 2);
  register(engine.primary, '90-5-1', ['changed']);
  await backUpTorn(engine, (xml, listing) => isTemplateOfDevice0(xml, listing) || isSecondRow(xml, listing));
  const before = contentOf(engine.secondary);
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { conflict: 2, updated: 0 } });
  expect(contentOf(engine.secondary)).toEqual(before);
  await backUp(engine);
  expect(await restore(engine)).toMatchObject({ counts: { updated: 2, conflict: 0 } });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

it('an update takes what the source no longer holds, or where the source does not answer', async () => {
  const engine = await aPair();
  engine.primary.rows.delete('91-5-1');
  await backUp(engine);
  expect(await restore(engine)).toMatchObject({ counts: { updated: 1, conflict: 0 } });
  install(engine.primary, 'device-0', ['changed'], 2);
  await backUpTorn(engine, isTemplateOfDevice0);
  engine.primary.findInstallation = async () => {
    throw new DrError('HubUnavailable', 'The hub is away.', { retryable: true });
  };
  expect(await restore(engine)).toMatchObject({ counts: { updated: 1, conflict: 0 } });
});

it('a row that the snapshot shows under another id is not one that its listing has passed over', async () => {
  const engine = createEngine();
  engine.secondary.refusesForeignIds = true;
  seed(engine);
  await backUp(engine);
  await restore(engine, { activate: true, confirm: 'three/devices' });
  const [id = ''] = [...engine.secondary.rows].find(([, xml]) => xml.includes(tokenOf('19-5-1'))) ?? [];
  expect(id).not.toBe('19-5-1');
  register(engine.secondary, id, ['changed'], '19-5-1');
  engine.advance(60_000);
  await backUp(engine);
  const back = await restore(engine, { activate: true, confirm: 'one/devices' });
  expect(back).toMatchObject({ status: 'Succeeded', counts: { updated: 1, conflict: 0 } });
  expect(contentOf(engine.primary)).toEqual(contentOf(engine.secondary));
});

it('a device of which the listing of the target passes over a row is updated', async () => {
  const engine = await aPair();
  register(engine.primary, '90-5-1', ['changed']);
  install(engine.primary, 'device-0', ['changed'], 2);
  await backUp(engine);
  passOver(engine.secondary, (xml, listing) => listing === 1 && (isTemplateOfDevice0(xml, 1) || isSecondRow(xml, 1)));
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { updated: 2, keptLive: 0 } });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

it('a device that the listing of the target passes over is updated also when the first attempt to write it fails', async () => {
  const engine = await aPair();
  install(engine.primary, 'device-0', ['changed'], 2);
  await backUp(engine);
  passOver(engine.secondary, (xml, listing) => listing === 1 && xml.includes('{device-0}'));
  const { putInstallation } = engine.secondary;
  engine.secondary.putInstallation = async () => {
    engine.secondary.putInstallation = putInstallation;
    throw new DrError('HubUnavailable', 'It is away.', { retryable: true });
  };
  expect(await restore(engine)).toMatchObject({ counts: { updated: 1, keptLive: 0 } });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

it('what the hub has shown in full when it was asked is agreed on, though the listing shows a part of it', async () => {
  const engine = createEngine();
  seed(engine);
  register(engine.secondary, '990-5-1', ['own'], 'other');
  await backUp(engine);
  const restoreListing = passOver(engine.secondary, (xml, listing) => listing === 2 && isTemplateOfDevice0(xml, 2));
  await restore(engine);
  restoreListing();
  install(engine.primary, 'device-0', ['changed'], 2);
  await backUp(engine);
  passOver(engine.secondary, (xml, listing) => listing === 1 && xml.includes('{device-0}'));
  expect(await restore(engine)).toMatchObject({ counts: { updated: 1, created: 0, keptLive: 0 } });
});

it('a rollback removes all rows of a device of which its listing passes over one', async () => {
  const engine = createEngine();
  for (const id of ['90-5-1', '91-5-1']) register(engine.primary, id, [id]);
  await backUp(engine);
  const { id } = await restore(engine);
  passOver(engine.secondary, isSecondRow);
  const run = await startRollback(engine.app, id, { confirm: 'three/devices' });
  await runToEnd(engine, 'restore', run.id);
  expect(await readRestoreView(engine.app, run.id)).toMatchObject({ status: 'Succeeded', counts: { removed: 1 } });
  expect([...engine.secondary.rows.keys()]).toEqual([]);
});

it('a rollback removes both rows of a device from a hub that alters them, though a listing passed over one', async () => {
  const engine = createEngine();
  register(engine.primary, '90-5-1', ['a']);
  register(engine.primary, '91-5-1', ['b']);
  await backUp(engine);
  const { putRegistration } = engine.secondary;
  engine.secondary.putRegistration = (id, xml, options) =>
    putRegistration(id, xml.replace('<Tags>', '<Tags>altered,'), options);
  const restoreListing = passOver(engine.secondary, (xml) => xml.includes('>91-5-1<'));
  const { id, error } = await restore(engine);
  expect(error).toMatchObject({ code: 'TargetAltersRecords' });
  restoreListing();
  const run = await startRollback(engine.app, id, { confirm: 'three/devices' });
  await runToEnd(engine, 'restore', run.id);
  expect([...engine.secondary.rows.keys()]).toEqual([]);
});

it('what a rollback put back is known as ours, though its listings pass over it', async () => {
  const engine = await aPair();
  engine.primary.rows.delete('19-5-1');
  await backUp(engine);
  const { id } = await restore(engine);
  const restoreListing = passOver(engine.secondary, (xml) => xml.includes('>19-5-1<'));
  const run = await startRollback(engine.app, id, { confirm: 'three/devices' });
  await runToEnd(engine, 'restore', run.id);
  restoreListing();
  expect(engine.secondary.rows.has('19-5-1')).toBe(true);
  await backUp(engine);
  expect(await restore(engine, { snapshot: undefined })).toMatchObject({ counts: { withdrawn: 1, leftover: 0 } });
});

it('a pass asks for each device once, though a step has time for a few only', async () => {
  const engine = createEngine({ policy: { stepBudgetMs: 3500, maxConcurrency: 1 } });
  for (let index = 0; index < 24; index += 1) install(engine.primary, `device-${index}`, ['news'], 1);
  await backUp(engine);
  const { listPage, findInstallation, rows } = engine.secondary;
  let listings = 0;
  let asked = 0;
  engine.secondary.listPage = async (token, options) => {
    listings += token === undefined ? 1 : 0;
    if (listings === 2 && token === undefined)
      for (const [id, xml] of rows) rows.set(id, xml.replace('news', 'own').replace('<ETag>1<', '<ETag>2<'));
    return listPage(token, options);
  };
  engine.secondary.findInstallation = async (id, options) => {
    engine.advance(1000);
    asked += 1;
    if (engine.app.world.now() > options.deadlineAt)
      throw new DrError('HubUnavailable', 'Its time is up.', { retryable: true });
    return findInstallation(id, options);
  };
  expect(await restore(engine)).toMatchObject({ error: { code: 'TargetAltersRecords' }, changedSince: 24 });
  expect(asked).toBeLessThanOrEqual(24 + 8);
});

it('what the newest listing passed over when an older snapshot was restored comes back with the next, and stays where it lives', async () => {
  const engine = createEngine();
  seed(engine);
  const snapshot = await backUp(engine);
  await backUpTorn(engine, (xml) => xml.includes('>19-5-1<'));
  expect(await restore(engine, { snapshot })).toMatchObject({ counts: { created: 23, goneInTarget: 1 } });
  expect(await restore(engine, { snapshot })).toMatchObject({ counts: { unchanged: 23, goneInTarget: 1 } });
  const exchanged = engine.fork(({ primary, secondary }) => ({ primary: secondary, secondary: primary }));
  await backUp(exchanged);
  expect(await restore(exchanged)).toMatchObject({ counts: { unchanged: 23, withdrawn: 0, leftover: 1 } });
  await backUp(engine);
  expect(await restore(engine)).toMatchObject({ counts: { created: 1, goneInTarget: 0 } });
});

it('two registrations of a device that have become the same are one in the target, whatever they were before', async () => {
  const engine = await aPair();
  for (const id of ['91-5-1', '90-5-1']) {
    register(engine.primary, id, ['news']);
    await backUp(engine);
    expect(await restore(engine)).toMatchObject({ counts: { updated: 1, conflict: 0 } });
  }
  const rows = [...engine.secondary.rows.values()].filter((xml) => xml.includes(tokenOf('phone')));
  expect(rows).toEqual([expect.stringContaining('<Tags>news</Tags>')]);
  expect(await restore(engine)).toMatchObject({ counts: { unchanged: 25 } });
});

it('a snapshot from before a restore brought a device into the source is no proof that the source has lost it', async () => {
  const engine = await aPair();
  const { primary, secondary } = engine;
  const declare = async (active: 'primary' | 'secondary', confirm: string) => {
    await declareRole(engine.app, { active, confirm, force: true });
    engine.advance(60_000);
  };
  await declare('secondary', 'three/devices');
  await backUp(engine);
  await declare('primary', 'one/devices');
  install(primary, 'device-new', ['new'], 1);
  await backUp(engine);
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { created: 1 } });
  await declare('secondary', 'three/devices');
  passOver(secondary, (xml) => xml.includes('device-new'));
  await backUp(engine);
  secondary.findInstallation = () => Promise.reject(new DrError('HubUnavailable', 'away', { retryable: true }));
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { withdrawn: 0, leftover: 1 } });
  expect([...primary.rows.values()].join()).toContain('{device-new}');
});
