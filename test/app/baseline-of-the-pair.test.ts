import { describe, expect, it } from 'vitest';
import { cancelRestore } from '../../src/app/restore/outcomes/cancel.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { pairBlobs } from '../../src/app/stored/pair-blobs.ts';
import { aBackedUp, aRehearsed, backUp, beginRestore, contentOf, restore } from '../support/drive.ts';
import type { Engine } from '../support/engine.ts';
import { anAppleRow, anInstallation } from '../support/rows.ts';

/** The same hubs after a failover: what was the secondary is the primary of the settings. */
const exchange = (engine: Engine): Engine =>
  engine.fork(({ primary, secondary }) => ({ primary: secondary, secondary: primary }));

describe('a run moves the baseline only for what a look has proven', () => {
  it('so a record that failed is not taken for one of its own later', async () => {
    const engine = await aBackedUp();
    const refused = new Set(['19-5-1', 'device-0']);
    engine.secondary.intercept = (_, id) =>
      refused.has(id) ? { kind: 'rejected', status: 400, reason: 'Rejected' } : undefined;
    expect(await restore(engine)).toMatchObject({ status: 'Failed', counts: { created: 22, failed: 2 } });
    engine.secondary.intercept = () => undefined;
    const own = [
      ['19-5-1', anAppleRow({ id: '19-5-1', tags: ['own'] })] as const,
      ...anInstallation('device-0', { tags: ['own'] }),
    ];
    for (const [id, xml] of own) engine.secondary.rows.set(id, xml);
    expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { keptLive: 2, unchanged: 22 } });
    for (const [id, xml] of own) expect(engine.secondary.rows.get(id)).toBe(xml);
  });

  it('so one that was cancelled before it looked moves nothing', async () => {
    const engine = await aBackedUp();
    const id = await beginRestore(engine.app);
    const { listPage } = engine.secondary;
    let listings = 0;
    engine.secondary.listPage = async (...args) => {
      listings += 1;
      if (listings === 2) await cancelRestore(engine.app, id);
      return listPage(...args);
    };
    await engine.drain();
    expect(await readRestoreView(engine.app, id)).toMatchObject({ status: 'Canceled' });
    const own = anAppleRow({ id: '19-5-1', tags: ['own'], etag: 2 });
    engine.secondary.rows.set('19-5-1', own);
    expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { unknownOrigin: 1, unchanged: 23 } });
    expect(engine.secondary.rows.get('19-5-1')).toBe(own);
  });

  it('so a device that registers during the run is never one of its own', async () => {
    const engine = await aBackedUp();
    const { listPage } = engine.secondary;
    const own = anAppleRow({ id: '7-7-7', tags: ['own'] });
    engine.secondary.listPage = async (...args) => {
      engine.secondary.rows.set('7-7-7', own);
      return listPage(...args);
    };
    expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { created: 24 } });
    await backUp(engine);
    expect(await restore(engine)).toMatchObject({ counts: { unchanged: 24, onlyInTarget: 1, withdrawn: 0 } });
    expect(engine.secondary.rows.get('7-7-7')).toBe(own);
  });
});

it('the baseline of another pair is none: nothing is overwritten or withdrawn by it, and that is said', async () => {
  const engine = await aRehearsed();
  engine.primary.rows.set('19-5-1', anAppleRow({ id: '19-5-1', tags: ['changed'], etag: 2 }));
  engine.primary.rows.delete('39-5-1');
  await backUp(engine);
  const twin = { ...engine.secondary.copy(), ref: { namespace: 'four', hub: 'devices' } };
  const other = engine.fork(({ container, primary }) => ({
    secondary: twin,
    blobs: pairBlobs(container, primary.ref, twin.ref),
  }));
  const id = await beginRestore(other.app);
  await other.drain();
  const view = await readRestoreView(other.app, id);
  expect(view).toMatchObject({ status: 'Succeeded', counts: { unknownOrigin: 1, onlyInTarget: 1, unchanged: 22 } });
  expect(view.warnings).toContainEqual(expect.stringContaining('no baseline yet'));
  expect(twin.rows).toEqual(engine.secondary.rows);
});

describe('a registration that its device deleted and made again, under its id and with its ETag', () => {
  const again = anAppleRow({ id: '19-5-1', tags: ['next user'] });

  it('in the source is brought to the target', async () => {
    const engine = await aRehearsed();
    engine.primary.rows.set('19-5-1', again);
    await backUp(engine);
    expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { updated: 1, unchanged: 23 } });
    expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
    expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { unchanged: 24 } });
  });

  it('in the target stays, also where the source no longer holds it', async () => {
    const engine = await aRehearsed();
    engine.secondary.rows.set('19-5-1', again);
    expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { keptLive: 1, unchanged: 23 } });
    engine.primary.rows.delete('19-5-1');
    await backUp(engine);
    expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { withdrawn: 0, unchanged: 23 } });
    expect(engine.secondary.rows.get('19-5-1')).toBe(again);
  });
});

it('another form of most records is no change by their devices, and that is said', async () => {
  const engine = await aBackedUp(60);
  await restore(engine);
  for (const [id, xml] of engine.primary.rows) {
    engine.primary.rows.set(id, xml.replace('</DeviceToken>', '</DeviceToken><Future>x</Future>'));
  }
  await backUp(engine);
  const before = new Map(engine.secondary.rows);
  const view = await restore(engine);
  expect(view).toMatchObject({ status: 'Succeeded', counts: { unchanged: 60, total: 60 } });
  expect(view.warnings).toContainEqual(expect.stringContaining('another form'));
  expect(engine.secondary.rows).toEqual(before);
});

describe('after a failover, with the hubs exchanged in the settings', () => {
  it('a restore back plans nothing where no device wrote', async () => {
    const exchanged = exchange(await aRehearsed());
    await backUp(exchanged);
    const before = new Map(exchanged.primary.rows);
    expect(await restore(exchanged)).toMatchObject({ status: 'Succeeded', counts: { unchanged: 24, total: 24 } });
    expect(exchanged.primary.rows).toEqual(before);
  });

  it('what devices changed and removed since is brought back to the old primary', async () => {
    const exchanged = exchange(await aRehearsed());
    const { secondary } = exchanged;
    secondary.rows.set('19-5-1', anAppleRow({ id: '19-5-1', tags: ['changed'], etag: 2 }));
    secondary.rows.delete('39-5-1');
    await backUp(exchanged);
    expect(await restore(exchanged)).toMatchObject({ status: 'Succeeded', counts: { updated: 1, withdrawn: 1 } });
    expect(contentOf(exchanged.primary)).toEqual(contentOf(secondary));
  });

  it('what was withdrawn before is not brought back', async () => {
    const engine = await aRehearsed();
    engine.primary.rows.delete('19-5-1');
    await backUp(engine);
    expect(await restore(engine)).toMatchObject({ counts: { withdrawn: 1 } });
    const exchanged = exchange(engine);
    await backUp(exchanged);
    expect(await restore(exchanged)).toMatchObject({ status: 'Succeeded', counts: { unchanged: 23, total: 23 } });
    expect(exchanged.primary.rows.has('19-5-1')).toBe(false);
  });

  it('an old primary that comes back empty is filled', async () => {
    const exchanged = exchange(await aRehearsed());
    exchanged.primary.rows.clear();
    await backUp(exchanged);
    expect(await restore(exchanged)).toMatchObject({ status: 'Succeeded', counts: { created: 24 } });
    expect(contentOf(exchanged.primary)).toEqual(contentOf(exchanged.secondary));
  });
});
