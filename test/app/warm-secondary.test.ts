import { describe, expect, it } from 'vitest';
import { startRollback } from '../../src/app/restore/rollback.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { DrError } from '../../src/core/errors.ts';
import { aBackedUp, aRehearsed, backUp, contentOf, restore, seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import { hideInListing } from '../support/late-hub.ts';
import { anAppleRow, anInstallation, tokenOf } from '../support/rows.ts';

type Rows = Engine['primary']['rows'];

/** A secondary that a rehearsal has filled: half installations, half plain registrations. */
function install(rows: Rows, id: string, options: Parameters<typeof anInstallation>[1]): void {
  for (const [rowId, xml] of anInstallation(id, options)) rows.set(rowId, xml);
}

function uninstall(rows: Rows, id: string): void {
  for (const [rowId] of anInstallation(id)) rows.delete(rowId);
}

/** Each call to the hub fails, as while its region is away. */
function takeAway({ primary }: Engine): void {
  const away = async (): Promise<never> => {
    throw new DrError('HubUnavailable', 'The region is away.', { retryable: true });
  };
  Object.assign(primary, { listPage: away, findInstallation: away, findRegistration: away });
}

describe('while the source is away', () => {
  it('twenty devices with other tags are updated, and those that opted out before both snapshots are withdrawn', async () => {
    const engine = await aRehearsed(60);
    for (let index = 20; index < 40; index += 2) {
      install(engine.primary.rows, `device-${index}`, { tags: ['next user'], etag: 2 });
      const id = `${index + 1}9-5-1`;
      engine.primary.rows.set(id, anAppleRow({ id, tags: ['next user'], etag: 2 }));
    }
    uninstall(engine.primary.rows, 'device-0');
    engine.primary.rows.delete('19-5-1');
    await backUp(engine);
    await backUp(engine);
    takeAway(engine);
    const counts = { updated: 20, withdrawn: 2, unchanged: 38, keptLive: 0, leftover: 0 };
    expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts });
    expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
    expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { unchanged: 58, total: 58 } });
  });

  it('what only the newest snapshot is without stays, unless the request says so', async () => {
    const engine = await aRehearsed();
    await backUp(engine);
    engine.primary.rows.delete('19-5-1');
    await backUp(engine);
    takeAway(engine);
    expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { leftover: 1, withdrawn: 0 } });
    expect(engine.secondary.rows.has('19-5-1')).toBe(true);
    const view = await restore(engine, { leftovers: 'withdraw' });
    expect(view).toMatchObject({ status: 'Succeeded', counts: { leftover: 0, withdrawn: 1 } });
    expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
  });
});

describe('what is withdrawn', () => {
  it('goes after everything else is written, over all shards', async () => {
    const engine = await aRehearsed(60);
    for (let index = 0; index < 10; index += 1) {
      uninstall(engine.primary.rows, `device-${2 * index}`);
      install(engine.primary.rows, `new-${index}`, {});
    }
    await backUp(engine);
    engine.secondary.writes.length = 0;
    expect(await restore(engine)).toMatchObject({ counts: { created: 10, withdrawn: 10 } });
    const kinds = engine.secondary.writes.map((write) => (write.startsWith('delete') ? 'delete' : 'write'));
    expect(kinds).toEqual([...Array(10).fill('write'), ...Array(10).fill('delete')]);
  });

  it('may be twenty of a small hub, however many percent that is', async () => {
    const engine = await aRehearsed(60);
    for (let index = 0; index < 20; index += 1) engine.primary.rows.delete(`${2 * index + 1}9-5-1`);
    // With twenty fewer a snapshot would be suspect: others come.
    for (let index = 0; index < 20; index += 1) install(engine.primary.rows, `new-${index}`, {});
    await backUp(engine);
    expect(await restore(engine)).toMatchObject({ counts: { withdrawn: 20, leftover: 0 } });
    expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
  });

  it('is no loss where its device is there under another id, or with another handle: that is a move', async () => {
    const engine = await aRehearsed(60);
    const { rows } = engine.primary;
    for (let index = 0; index < 24; index += 2) {
      uninstall(rows, `device-${index}`);
      install(rows, `renamed-${index}`, { token: tokenOf(`device-${index}`) });
      const id = `${index + 1}9-5-1`;
      rows.set(id, anAppleRow({ id, token: tokenOf(`new ${id}`), tags: ['plain'], etag: 2 }));
    }
    await backUp(engine);
    const view = await restore(engine);
    expect(view).toMatchObject({ status: 'Succeeded', counts: { withdrawn: 24, leftover: 0 }, warnings: [] });
    expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
  });

  it('is no loss once for each, however many devices have its ids now: the others are lost', async () => {
    const pairOf = (index: number, token: (tag: string) => string): [string, string][] =>
      ['a', 'b'].map((tag, at) => {
        const id = `${index}7-${at}-1`;
        return [id, anAppleRow({ id, token: tokenOf(token(tag)), tags: [tag], etag: at + 1 })];
      });
    const engine = await aRehearsed(60);
    const { rows } = engine.primary;
    for (let index = 0; index < 6; index += 1) for (const row of pairOf(index, () => `pair-${index}`)) rows.set(...row);
    await backUp(engine);
    await restore(engine);
    for (let index = 0; index < 21; index += 1) {
      uninstall(rows, `device-${2 * index}`);
      install(rows, `new-${index}`, {});
    }
    for (let index = 0; index < 6; index += 1)
      for (const row of pairOf(index, (tag) => `${tag} of pair-${index}`)) rows.set(...row);
    await backUp(engine);
    const warnings = [expect.stringContaining('21 records')];
    expect(await restore(engine)).toMatchObject({ counts: { withdrawn: 0 }, warnings });
  });

  describe('where its old row may not be withdrawn, a device that moved is not written a second time', () => {
    /** Two devices are there as other installations, and one installation has the handle that another one had. */
    async function aMoved(): Promise<Engine> {
      const engine = await aRehearsed(60);
      const { rows } = engine.primary;
      for (const index of [0, 2]) {
        uninstall(rows, `device-${index}`);
        install(rows, `renamed-${index}`, { token: tokenOf(`device-${index}`) });
      }
      return engine;
    }
    const tokensOf = ({ secondary }: Engine): number =>
      [...secondary.rows.values()].filter((xml) => xml.includes(tokenOf('device-0'))).length;

    it('above the bound', async () => {
      const engine = await aMoved();
      for (let index = 0; index < 22; index += 1) {
        engine.primary.rows.delete(`${2 * index + 1}9-5-1`);
        install(engine.primary.rows, `new-${index}`, {});
      }
      await backUp(engine);
      const view = await restore(engine);
      const counts = { conflict: 2, created: 22, leftover: 24, withdrawn: 0 };
      expect(view).toMatchObject({ status: 'Succeeded', counts, warnings: [expect.stringContaining('22 records')] });
      expect(tokensOf(engine)).toBe(2);
    });

    it('with a selection, and with leftovers that are to be kept', async () => {
      const engine = await aMoved();
      // This one gives its handle away, and stays.
      uninstall(engine.primary.rows, 'device-4');
      install(engine.primary.rows, 'device-4', { token: tokenOf('its new one'), etag: 2 });
      install(engine.primary.rows, 'heir', { token: tokenOf('device-4') });
      await backUp(engine);
      const before = new Map(engine.secondary.rows);
      const only = { installationIds: ['renamed-0', 'heir'] };
      expect(await restore(engine, { only, dryRun: true })).toMatchObject({ counts: { conflict: 2, total: 2 } });
      expect(await restore(engine, { only })).toMatchObject({ counts: { conflict: 2, total: 2 } });
      expect(engine.secondary.rows).toEqual(before);
      const counts = { conflict: 2, leftover: 2, updated: 1, created: 1, withdrawn: 0 };
      expect(await restore(engine, { leftovers: 'keep' })).toMatchObject({ status: 'Succeeded', counts });
      expect(tokensOf(engine)).toBe(2);
      expect(await restore(engine)).toMatchObject({ counts: { created: 2, withdrawn: 2, conflict: 0 } });
      expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
    });
  });

  it('is nothing where the snapshot is suspect', async () => {
    const engine = await aRehearsed();
    for (let index = 1; index < 20; index += 2) engine.primary.rows.delete(`${index}9-5-1`);
    const suspect = await backUp(engine);
    const before = new Map(engine.secondary.rows);
    const view = await restore(engine, { snapshot: suspect });
    expect(view).toMatchObject({ status: 'Succeeded', counts: { leftover: 10, withdrawn: 0, unchanged: 14 } });
    expect(engine.secondary.rows).toEqual(before);
  });

  it('is nothing in a restore of some devices only', async () => {
    const engine = await aRehearsed();
    engine.primary.rows.delete('19-5-1');
    await backUp(engine);
    const before = new Map(engine.secondary.rows);
    const view = await restore(engine, { only: { platforms: ['apple'] } });
    expect(view).toMatchObject({ status: 'Succeeded', counts: { withdrawn: 0, unchanged: 23 } });
    expect(engine.secondary.rows).toEqual(before);
  });
});

it('an installation renewed in the source is renewed in the target', async () => {
  const engine = createEngine();
  install(engine.primary.rows, 'phone', { expirationTime: '2026-12-20T00:00:00Z' });
  await backUp(engine);
  expect(await restore(engine)).toMatchObject({ counts: { created: 1 } });
  install(engine.primary.rows, 'phone', { expirationTime: '2027-01-20T00:00:00Z', etag: 2 });
  await backUp(engine);
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { renewed: 1, total: 1 } });
  for (const xml of engine.secondary.rows.values()) expect(xml).toContain('2027-01-20T00:00:00');
  expect(await restore(engine)).toMatchObject({ counts: { unchanged: 1, total: 1 } });
});

it('an installation that is listed between two effects of its renewal is renewed in the target', async () => {
  for (const renewedFirst of [0, 1]) {
    const engine = createEngine();
    install(engine.primary.rows, 'phone', { expirationTime: '2026-12-20T00:00:00Z' });
    await backUp(engine);
    await restore(engine);
    const renewed = anInstallation('phone', { expirationTime: '2027-01-20T00:00:00Z', etag: 2 });
    for (const [id, xml] of renewed.slice(renewedFirst, renewedFirst + 1)) engine.primary.rows.set(id, xml);
    await backUp(engine);
    expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { renewed: 1, total: 1 } });
    for (const xml of engine.secondary.rows.values()) expect(xml).toContain('2027-01-20T00:00:00');
  }
});

describe('a row that a listing of the target passes over', () => {
  const rows = {
    plain: { needle: tokenOf('19-5-1'), own: [['19-5-1', anAppleRow({ id: '19-5-1', tags: ['own'], etag: 7 })]] },
    installed: {
      needle: '$InstallationId:{device-0}',
      own: anInstallation('device-0', { tags: ['own'], etag: 7 }),
    },
  } as const;

  it.each(['plain', 'installed'] as const)('is not overwritten with older tags: %s', async (which) => {
    for (const isRehearsed of [false, true]) {
      const engine = isRehearsed ? await aRehearsed() : createEngine();
      seed(engine);
      await backUp(engine);
      const { needle, own } = rows[which];
      for (const [id, xml] of engine.secondary.rows) if (xml.includes(needle)) engine.secondary.rows.delete(id);
      for (const [id, xml] of own) engine.secondary.rows.set(id, xml);
      // Not empty: then nothing would be asked before it is created.
      engine.secondary.rows.set('8-8-8', anAppleRow({ id: '8-8-8' }));
      hideInListing(engine, 1, (xml) => xml.includes(needle));
      expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { keptLive: 1 } });
      for (const [id, xml] of own) expect(engine.secondary.rows.get(id)).toBe(xml);
    }
  });

  it.each(['plain', 'installed'] as const)('is known as ours, and follows the source: %s', async (which) => {
    const engine = await aRehearsed();
    const { needle, own } = rows[which];
    for (const [id, xml] of engine.primary.rows) if (xml.includes(needle)) engine.primary.rows.delete(id);
    for (const [id, xml] of own) engine.primary.rows.set(id, xml);
    await backUp(engine);
    const before = contentOf(engine.secondary);
    hideInListing(engine, 1, (xml) => xml.includes(needle));
    const { id, counts, status } = await restore(engine);
    expect({ status, counts }).toMatchObject({ status: 'Succeeded', counts: { updated: 1, keptLive: 0, created: 0 } });
    expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
    const rollback = await startRollback(engine.app, id, { confirm: 'three/devices' });
    await engine.drain();
    expect(await readRestoreView(engine.app, rollback.id)).toMatchObject({ counts: { putBack: 1 } });
    expect(contentOf(engine.secondary)).toEqual(before);
  });

  it('is not called ours because a step that only asked for it was given up', async () => {
    const engine = await aBackedUp();
    for (const id of ['8-8-8', '19-5-1']) engine.secondary.rows.set(id, anAppleRow({ id, tags: ['n1', 'plain'] }));
    hideInListing(engine, 1, (xml) => xml.includes(tokenOf('19-5-1')));
    const { findRegistration } = engine.secondary;
    let failures = 0;
    engine.secondary.findRegistration = async (id, call) => {
      if (id === '19-5-1' && failures++ === 0)
        throw new DrError('HubUnavailable', 'The hub is away.', { retryable: true });
      return findRegistration(id, call);
    };
    expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { created: 23, keptLive: 1 } });
  });

  it('gives way to the handle that its device has under the same id now', async () => {
    const engine = await aRehearsed();
    engine.primary.rows.set(
      '19-5-1',
      anAppleRow({ id: '19-5-1', token: tokenOf('refreshed'), tags: ['own'], etag: 2 }),
    );
    await backUp(engine);
    const before = contentOf(engine.secondary);
    hideInListing(engine, 1, (xml) => xml.includes(tokenOf('19-5-1')));
    const { id, counts, status } = await restore(engine);
    expect({ status, counts }).toMatchObject({ status: 'Succeeded', counts: { created: 1, keptLive: 0 } });
    expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
    await startRollback(engine.app, id, { confirm: 'three/devices' });
    await engine.drain();
    expect(contentOf(engine.secondary)).toEqual(before);
  });

  it('gives way to no older handle from an older snapshot', async () => {
    const engine = createEngine();
    seed(engine);
    const snapshot = await backUp(engine);
    const refreshed = tokenOf('refreshed');
    engine.primary.rows.set('19-5-1', anAppleRow({ id: '19-5-1', token: refreshed, tags: ['own'], etag: 2 }));
    await backUp(engine);
    await restore(engine);
    const before = contentOf(engine.secondary);
    hideInListing(engine, 1, (xml) => xml.includes(refreshed));
    expect(await restore(engine, { snapshot, leftovers: 'keep' })).toMatchObject({ status: 'Succeeded' });
    expect(contentOf(engine.secondary)).toEqual(before);
  });

  it('does not fail a restore, also where each listing passes over another one', async () => {
    const engine = await aBackedUp();
    const { listPage } = engine.secondary;
    let listings = 0;
    engine.secondary.listPage = async (token, call) => {
      listings += 1;
      const page = await listPage(token, call);
      if (page === 'tokenLost') return page;
      // Two listings together show every row.
      return { ...page, rows: page.rows.filter((_, index) => index % 5 !== listings % 5) };
    };
    for (let run = 0; run < 2; run += 1) {
      expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { failed: 0 } });
      expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
    }
  });
});

it('a rollback leaves a device whose handle changed under its id before the restore', async () => {
  const engine = createEngine();
  seed(engine);
  engine.secondary.rows.set('19-5-1', anAppleRow({ id: '19-5-1', token: tokenOf('new phone'), tags: ['plain'] }));
  const before = new Map(engine.secondary.rows);
  await backUp(engine);
  const { id } = await restore(engine);
  const rollback = await startRollback(engine.app, id, { confirm: 'three/devices' });
  await engine.drain();
  expect(await readRestoreView(engine.app, rollback.id)).toMatchObject({
    status: 'Succeeded',
    counts: { removed: 23 },
  });
  expect(engine.secondary.rows).toEqual(before);
});

it('what a source lost when it was seen empty is left, and what its devices remove later is withdrawn', async () => {
  const engine = createEngine();
  const register = (amount: number): void => {
    for (let index = 0; index < amount; index += 1) install(engine.primary.rows, `device-${index}`, {});
  };
  register(20);
  await backUp(engine);
  await restore(engine);
  engine.primary.rows.clear();
  await backUp(engine);
  register(17);
  await backUp(engine);
  const before = contentOf(engine.secondary);
  expect(await restore(engine)).toMatchObject({ counts: { leftover: 3, withdrawn: 0 } });
  expect(contentOf(engine.secondary)).toEqual(before);
  uninstall(engine.primary.rows, 'device-5');
  await backUp(engine);
  expect(await restore(engine)).toMatchObject({ counts: { leftover: 3, withdrawn: 1 } });
});
