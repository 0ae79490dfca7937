import { expect, it } from 'vitest';
import { prune } from '../../src/app/prune.ts';
import { reportRestore } from '../../src/app/restore/report.ts';
import { renderReport } from '../../src/core/restore/report.ts';
import { backUp, begunWith, contentOf, seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import type { MemoryHub } from '../support/memory-hub.ts';
import { anInstallation, register } from '../support/rows.ts';
import { syncOnce } from '../support/sync.ts';

/** Both hubs hold the same 200 devices, by a sync. */
async function aPair(refusesForeignIds = false): Promise<Engine> {
  const { engine } = await begunWith(['a pair in step', refusesForeignIds], async () => {
    const first = createEngine({ policy: { standbySync: 'afterBackup' } });
    first.secondary.refusesForeignIds = refusesForeignIds;
    seed(first, 200);
    await syncOnce(first);
    return { engine: first };
  });
  return engine;
}

/** How often the hub is listed from its beginning, and which of its records are asked for. */
function watchReads(hub: MemoryHub) {
  const seen = { listings: 0, asked: 0 };
  const { listPage, findRegistration, findInstallation } = hub;
  hub.listPage = (token, options) => {
    if (token === undefined) seen.listings += 1;
    return listPage(token, options);
  };
  hub.findRegistration = (id, options) => {
    seen.asked += 1;
    return findRegistration(id, options);
  };
  hub.findInstallation = (id, options) => {
    seen.asked += 1;
    return findInstallation(id, options);
  };
  return seen;
}

function install(hub: MemoryHub, id: string, tags: readonly string[]): void {
  for (const [rowId, xml] of anInstallation(id, { tags, etag: 2 })) hub.rows.set(rowId, xml);
}

/** One of each kind: changed, under another handle, new, gone; as a registration and as an installation. */
function churn({ primary }: Engine): void {
  register(primary, '19-5-1', ['changed']);
  register(primary, '39-5-1', ['n3'], 'a-new-handle');
  register(primary, '1009-5-1', ['new']);
  primary.rows.delete('59-5-1');
  install(primary, 'device-0', ['changed']);
  install(primary, 'device-new', ['new']);
  for (const [id] of anInstallation('device-4')) primary.rows.delete(id);
}

it.each([false, true])(
  'few changes are proven by questions, without a second listing (ids refused: %s)',
  async (refuses) => {
    const engine = await aPair(refuses);
    churn(engine);
    const seen = watchReads(engine.secondary);
    const sync = await syncOnce(engine);
    expect(sync).toMatchObject({ status: 'Succeeded', passes: 2, counts: { failed: 0, withdrawn: 3 } });
    expect(seen.listings).toBe(1);
    expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
    const report = await reportRestore(engine.app, sync.id);
    expect(renderReport(report)).toContain(
      'Pass 2 asked the target for each record after the last write, and found all that it had written: 8 records.',
    );
    // What was withdrawn is asked for together with the rest.
    expect(report.timeline.filter(({ phase, pass }) => phase === 'reconcile' && pass === 2)).toHaveLength(1);
    // What it saw is agreed on: nothing is written without a reason, and what changes next is known as ours.
    expect(await syncOnce(engine)).toMatchObject({ status: 'Succeeded', passes: 1 });
    register(engine.primary, '39-5-1', ['changed again'], 'a-new-handle');
    install(engine.primary, 'device-new', ['changed again']);
    engine.primary.rows.delete('19-5-1');
    const next = await syncOnce(engine);
    expect(next).toMatchObject({ counts: { updated: 2, withdrawn: 1, conflict: 0, leftover: 0, keptLive: 0 } });
    expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
    expect(seen.listings).toBe(3);
  },
);

it('a write that did not take effect is seen, and repaired', async () => {
  const engine = await aPair();
  churn(engine);
  const { secondary } = engine;
  let lost = 0;
  secondary.intercept = () => (lost++ < 4 ? { kind: 'written' } : undefined);
  const { deleteRegistration } = secondary;
  secondary.deleteRegistration = async () => {
    secondary.deleteRegistration = deleteRegistration;
    return 'gone';
  };
  const seen = watchReads(secondary);
  expect(await syncOnce(engine)).toMatchObject({ status: 'Succeeded', repaired: 5, counts: { failed: 0 } });
  expect(seen.listings).toBe(1);
  expect(contentOf(secondary)).toEqual(contentOf(engine.primary));
});

it('more changes than few are looked at by a listing', async () => {
  const engine = await aPair();
  for (let n = 0; n < 21; n += 1) register(engine.primary, `${2000 + n}-5-1`, ['new']);
  const seen = watchReads(engine.secondary);
  expect(await syncOnce(engine)).toMatchObject({ status: 'Succeeded', counts: { created: 21 } });
  expect(seen.listings).toBe(2);
});

it('a device that changed in the standby after the write is left to it, and not taken for ours', async () => {
  const engine = await aPair();
  register(engine.primary, '19-5-1', ['changed']);
  const { putRegistration } = engine.secondary;
  engine.secondary.putRegistration = async (id, xml, options) => {
    const answer = await putRegistration(id, xml, options);
    register(engine.secondary, '19-5-1', ['its own word']);
    return answer;
  };
  expect(await syncOnce(engine)).toMatchObject({ status: 'Succeeded', changedSince: 1 });
  engine.secondary.putRegistration = putRegistration;
  register(engine.primary, '19-5-1', ['changed again']);
  await syncOnce(engine);
  expect(engine.secondary.rows.get('19-5-1')).toContain('its own word');
});

it('what it moved is known as ours also when its snapshot is gone', async () => {
  const engine = createEngine({ policy: { standbySync: 'afterBackup' } });
  const { primary, secondary } = engine;
  for (let n = 0; n < 18; n += 1) register(primary, `${1000 + n}-5-1`, [`t${n}`]);
  await syncOnce(engine);
  // Each device registers again, the same under another id.
  for (let n = 0; n < 18; n += 1) {
    primary.rows.delete(`${1000 + n}-5-1`);
    register(primary, `${2000 + n}-5-1`, [`t${n}`], `${1000 + n}-5-1`);
  }
  expect(await syncOnce(engine)).toMatchObject({ status: 'Succeeded', counts: { moved: 18 } });
  const withoutSyncs = {
    ...engine,
    app: { ...engine.app, policy: { ...engine.app.policy, standbySync: 'off' } },
  } as const;
  for (let hour = 0; hour < 49; hour += 1) {
    engine.advance(3_600_000);
    await backUp(withoutSyncs);
    if (hour % 24 === 0) await prune(engine.app);
  }
  for (let n = 0; n < 18; n += 1) register(primary, `${2000 + n}-5-1`, ['changed'], `${1000 + n}-5-1`);
  expect(await syncOnce(engine)).toMatchObject({ counts: { updated: 18, conflict: 0 } });
  expect(contentOf(secondary)).toEqual(contentOf(primary));
});

it('one of two registrations of a device gets a new handle while the update of the other removes its old row', async () => {
  const engine = createEngine({ policy: { standbySync: 'afterBackup' } });
  const { primary, secondary } = engine;
  seed(engine, 24);
  register(primary, '1009-5-1', ['a'], 'phone');
  register(primary, '1019-5-1', ['b'], 'phone');
  await syncOnce(engine);
  // The creation has found the row when the update deletes it.
  const { putRegistration, deleteRegistration } = secondary;
  const removed = Promise.withResolvers<void>();
  secondary.putRegistration = async (id, xml, options) => {
    if (id === '1019-5-1' && options.ifMatch !== undefined) await removed.promise;
    return putRegistration(id, xml, options);
  };
  secondary.deleteRegistration = async (...args) => {
    const answer = await deleteRegistration(...args);
    removed.resolve();
    return answer;
  };
  register(primary, '1019-5-1', ['b'], 'a-new-handle');
  expect(await syncOnce(engine)).toMatchObject({ status: 'Succeeded', counts: { keptLive: 0 } });
  expect(contentOf(secondary)).toEqual(contentOf(primary));
});

it('a renewal that leaves the version as it was is not taken for one that did not take effect', async () => {
  const engine = await aPair();
  const { primary, secondary } = engine;
  const inDays = (days: number): string => new Date(engine.app.world.now() + days * 86_400_000).toISOString();
  const [later, soon] = [inDays(90), inDays(2)];
  const shown = primary.rows.get('19-5-1') ?? '';
  primary.rows.set('19-5-1', withExpiry(shown, later));
  secondary.rows.set('19-5-1', withExpiry(shown, soon));
  // As a service may do that is sent the same again.
  secondary.intercept = (_kind, id) => {
    secondary.rows.set(id, withExpiry(secondary.rows.get(id) ?? '', later));
    return { kind: 'written' };
  };
  expect(await syncOnce(engine)).toMatchObject({ status: 'Succeeded', passes: 2, counts: { renewed: 1, failed: 0 } });
});

it.each(['19-5-1', '1009-5-1'])(
  'a device that gets another token under an id just written keeps it (%s)',
  async (id) => {
    const engine = await aPair();
    register(engine.primary, id, ['news']);
    const { secondary } = engine;
    const { putRegistration } = secondary;
    secondary.putRegistration = async (...args) => {
      const answer = await putRegistration(...args);
      secondary.putRegistration = putRegistration;
      register(secondary, id, ['its own word'], 'a-new-token');
      return answer;
    };
    expect(await syncOnce(engine)).toMatchObject({ status: 'Succeeded', changedSince: 1 });
    expect(secondary.rows.get(id)).toContain('its own word');
  },
);

it('the handle that an id had is replaced once more where the first write did not take effect', async () => {
  const engine = await aPair();
  const { primary, secondary } = engine;
  register(primary, '39-5-1', ['n3'], 'a-new-handle');
  secondary.intercept = () => {
    secondary.intercept = () => undefined;
    return { kind: 'written' };
  };
  expect(await syncOnce(engine)).toMatchObject({ status: 'Succeeded', repaired: 1, counts: { failed: 0 } });
  expect(contentOf(secondary)).toEqual(contentOf(primary));
});

it.each([1, 21])('a hub that removes a replaced template later alters nothing (%i changes)', async (count) => {
  const engine = await aPair();
  const { primary, secondary } = engine;
  for (let n = 0; n < count; n += 1)
    for (const [id, xml] of anInstallation(`device-${4 * n}`, { etag: 2, body: '{"aps":{}}' }))
      primary.rows.set(id, xml);
  const { putInstallation } = secondary;
  const replaced = new Set<string>();
  secondary.putInstallation = async (...args) => {
    const before = new Map(secondary.rows);
    const answer = await putInstallation(...args);
    for (const [id, xml] of before) {
      if (secondary.rows.has(id) || !xml.includes('TemplateName')) continue;
      replaced.add(id);
      secondary.rows.set(id, xml);
    }
    return answer;
  };
  expect(await syncOnce(engine)).toMatchObject({ status: 'Succeeded', counts: { updated: count }, changedSince: 0 });
  expect(replaced.size).toBe(count);
  for (const id of replaced) secondary.rows.delete(id);
  expect(contentOf(secondary)).toEqual(contentOf(primary));
  // What stays is agreed on.
  expect(await syncOnce(engine)).toMatchObject({ status: 'Succeeded', passes: 1, counts: { unchanged: 200 } });
});

function withExpiry(xml: string, at: string): string {
  return xml.replace(/<ExpirationTime>[^<]+/, `<ExpirationTime>${at}`);
}
