import { describe, expect, it } from 'vitest';
import { type App, createMemory } from '../../src/app/app.ts';
import { startBackup } from '../../src/app/backup/start.ts';
import { deleteSnapshot } from '../../src/app/erasure/delete-snapshot.ts';
import { erase } from '../../src/app/erasure/erase.ts';
import { cancelRestore } from '../../src/app/restore/outcomes/cancel.ts';
import { startRetry } from '../../src/app/restore/retry.ts';
import { startRollback } from '../../src/app/restore/rollback.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { declareRole } from '../../src/app/runs/declare-role.ts';
import { pinSnapshot, unpinSnapshot } from '../../src/app/snapshots/pin.ts';
import { pairBlobs } from '../../src/app/stored/pair-blobs.ts';
import { DrError } from '../../src/core/errors.ts';
import { erasedName } from '../../src/core/paths.ts';
import { type Erasure, parseErasure } from '../../src/core/request/erasure.ts';
import { aBackedUp, backUp, beginRestore, codeOf, restore, runToEnd, seed } from '../support/drive.ts';
import { createEngine, type Engine, one, three } from '../support/engine.ts';
import { createMemoryHub } from '../support/memory-hub.ts';
import { anAppleRow, anInstallation, tokenOf } from '../support/rows.ts';

/** Ada has two devices beside the others: an installation and a plain registration. */
async function aHubWithAda(others = 10): Promise<{ readonly engine: Engine; readonly snapshot: string }> {
  const engine = createEngine();
  seed(engine, others);
  const adas = ['news', '$UserId:{Ada}', 'vip:ada'];
  for (const [id, xml] of anInstallation('adas-phone', { tags: adas })) engine.primary.rows.set(id, xml);
  engine.primary.rows.set('7-7-7', anAppleRow({ id: '7-7-7', tags: adas, token: tokenOf('adas-tablet') }));
  return { engine, snapshot: await backUp(engine) };
}

const byUser: Erasure = { kind: 'userId', value: 'ada' };
const isAdas = (xml: string): boolean => xml.includes('vip:ada');
const adasRowsIn = ({ rows }: Pick<Engine['primary'], 'rows'>) => [...rows.values()].filter(isAdas).length;

function removeAda(...hubs: readonly Pick<Engine['primary'], 'rows'>[]): void {
  for (const { rows } of hubs) for (const [id, xml] of rows) if (isAdas(xml)) rows.delete(id);
}

describe('an erasure', () => {
  it.each<[Erasure, number]>([
    [byUser, 2],
    [{ kind: 'tag', value: 'VIP:ada' }, 2],
    [{ kind: 'installationId', value: 'adas-phone' }, 1],
    [{ kind: 'handle', value: tokenOf('adas-tablet').toLowerCase() }, 1],
    [{ kind: 'registrationId', value: '7-7-7' }, 1],
  ])('by %o keeps %i records from being restored, and no others', async (erasure, count) => {
    const { engine, snapshot } = await aHubWithAda();
    const { snapshots, live } = await erase(engine.app, erasure);
    expect(snapshots).toMatchObject([{ id: snapshot, hub: one, records: count, pinned: false }]);
    expect(live.map(({ hub, rows }) => [hub, rows.length > 0])).toEqual([
      [one, true],
      [three, false],
    ]);
    removeAda(engine.primary);
    const view = await restore(engine, { snapshot });
    expect(view).toMatchObject({ status: 'Succeeded', counts: { total: 12 - count, created: 12 - count, failed: 0 } });
    expect(adasRowsIn(engine.secondary)).toBe(count === 2 ? 0 : erasure.kind === 'installationId' ? 1 : 2);
  });

  it('is stored as keyed hashes beside the snapshot, and the answer has no token either', async () => {
    const { engine, snapshot } = await aHubWithAda();
    const answer = await erase(engine.app, byUser);
    await erase(engine.app, byUser);
    const stored = await engine.blobs.get(erasedName(one, snapshot));
    const text = Buffer.from(stored?.bytes ?? []).toString();
    expect(JSON.parse(text)).toMatchObject({ erasures: [{ kind: 'userId' }] });
    expect(text.toLowerCase()).not.toContain('ada');
    expect(JSON.stringify(answer)).not.toContain(tokenOf('adas-tablet'));
    expect(answer.live[0]?.rows).toContainEqual({
      registrationId: '7-7-7',
      installationId: null,
      platform: 'Apple',
      expiresAt: '9999-12-31T23:59:59.999Z',
    });
  });

  it('holds for a backup that has begun, and not for who comes back later', async () => {
    const { engine } = await aHubWithAda();
    engine.advance(60_000);
    const { id } = await startBackup(engine.app, 'timer');
    await erase(engine.app, byUser);
    await runToEnd(engine, 'backup', id);
    expect(await restore(engine, { snapshot: id })).toMatchObject({ status: 'Succeeded', counts: { created: 10 } });
    expect(adasRowsIn(engine.secondary)).toBe(0);
    await backUp(engine);
    expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { created: 2, unchanged: 10 } });
    expect(adasRowsIn(engine.secondary)).toBe(3);
  });

  it('holds for a failback from a snapshot of the other hub', async () => {
    const { engine } = await aHubWithAda();
    await restore(engine);
    engine.advance(60_000);
    await declareRole(engine.app, { active: 'three/devices', confirm: 'three/devices' });
    await backUp(engine);
    await erase(engine.app, byUser);
    removeAda(engine.primary, engine.secondary);
    const view = await restore(engine, { activate: true, confirm: 'one/devices' });
    expect(view).toMatchObject({ status: 'Succeeded', counts: { total: 10, created: 0, unchanged: 10 } });
    expect(adasRowsIn(engine.primary)).toBe(0);
  });

  it('holds for a retry of what was not restored before it', async () => {
    const { engine } = await aHubWithAda();
    engine.secondary.intercept = (_, id) =>
      id === 'adas-phone' || id === 'device-4' ? { kind: 'rejected', status: 400, reason: 'Rejected' } : undefined;
    const { id } = await restore(engine);
    engine.secondary.intercept = () => undefined;
    await erase(engine.app, { kind: 'installationId', value: 'adas-phone' });
    const retry = await startRetry(engine.app, id);
    await engine.drain();
    expect(await readRestoreView(engine.app, retry.id)).toMatchObject({ status: 'Succeeded', counts: { total: 1 } });
    expect(engine.secondary.writes.filter((write) => write === 'installation adas-phone')).toEqual([]);
  });

  it('holds for a rollback: it puts back whom its restore had withdrawn, but for the erased', async () => {
    const { engine } = await aHubWithAda(40);
    await restore(engine);
    removeAda(engine.primary);
    for (const [id, xml] of engine.primary.rows) if (xml.includes('{device-2}')) engine.primary.rows.delete(id);
    await backUp(engine);
    await backUp(engine);
    const { id, counts } = await restore(engine);
    expect(counts).toMatchObject({ withdrawn: 3 });
    await erase(engine.app, byUser);
    const rollback = await startRollback(engine.app, id, { confirm: 'three/devices' });
    await engine.drain();
    expect(await readRestoreView(engine.app, rollback.id)).toMatchObject({
      status: 'Succeeded',
      counts: { total: 1, putBack: 1 },
    });
    expect(adasRowsIn(engine.secondary)).toBe(0);
  });

  it('is refused while a restore runs, which may have decided already', async () => {
    const { engine } = await aHubWithAda();
    await beginRestore(engine.app);
    expect(await codeOf(erase(engine.app, byUser))).toBe('RunInProgress');
  });

  it('holds for a restore that had looked for erasures before, and began after it', async () => {
    const { engine } = await aHubWithAda();
    const { probe } = engine.secondary;
    engine.secondary.probe = async (call) => {
      engine.secondary.probe = probe;
      await erase(engine.app, byUser);
      return probe(call);
    };
    expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { total: 10, created: 10 } });
    expect(adasRowsIn(engine.secondary)).toBe(0);
  });

  it('holds for a rollback that had looked for erasures before, and began after it', async () => {
    const { engine } = await aHubWithAda(40);
    await restore(engine);
    removeAda(engine.primary);
    await backUp(engine);
    await backUp(engine);
    const { id, counts } = await restore(engine);
    expect(counts).toMatchObject({ withdrawn: 2 });
    const { probe } = engine.secondary;
    engine.secondary.probe = async (call) => {
      engine.secondary.probe = probe;
      await erase(engine.app, byUser);
      return probe(call);
    };
    const rollback = await startRollback(engine.app, id, { confirm: 'three/devices' });
    await engine.drain();
    expect(await readRestoreView(engine.app, rollback.id)).toMatchObject({ status: 'Succeeded' });
    expect(adasRowsIn(engine.secondary)).toBe(0);
  });

  it('is refused while a restore is silent, too: that may resume', async () => {
    const { engine } = await aHubWithAda();
    const id = await beginRestore(engine.app);
    engine.advance(20 * 60_000);
    expect(await codeOf(erase(engine.app, byUser))).toBe('RunInProgress');
    await cancelRestore(engine.app, id);
    expect(await codeOf(erase(engine.app, byUser))).toBe('none');
  });

  it('is refused while the app of another pair restores what these hubs held', async () => {
    const { engine } = await aHubWithAda();
    const five = createMemoryHub({ ref: { namespace: 'five', hub: 'devices' } });
    const pair = pairBlobs(engine.container, engine.app.primary.ref, five.ref);
    const other: App = { ...engine.app, secondary: five, blobs: pair, memory: createMemory() };
    const id = await beginRestore(other);
    expect(await codeOf(erase(engine.app, byUser))).toBe('RunInProgress');
    await cancelRestore(other, id);
    expect(await codeOf(erase(engine.app, byUser))).toBe('none');
  });

  it('says how long snapshots are kept, and which hub did not answer', async () => {
    const { engine, snapshot } = await aHubWithAda();
    engine.advance(86_400_000);
    const next = await backUp(engine);
    await pinSnapshot(engine.app, next);
    engine.secondary.findRows = async () => {
      throw new DrError('HubUnavailable', 'The hub is down.');
    };
    const { snapshots, live } = await erase(engine.app, byUser);
    expect(snapshots).toEqual([
      { id: next, hub: one, records: 2, until: null, pinned: true },
      // Seven days: the newest one of its day. A newer one is that of its week and month.
      { id: snapshot, hub: one, records: 2, until: '2026-11-30T00:00:00.000Z', pinned: false },
    ]);
    expect(live[1]).toMatchObject({ rows: [], error: { code: 'HubUnavailable' } });
  });

  it('that cannot be read stops each restore of its snapshot before the first write', async () => {
    const { engine, snapshot } = await aHubWithAda();
    await erase(engine.app, byUser);
    await engine.blobs.put(erasedName(one, snapshot), Buffer.from('{}'), 'any');
    const view = await restore(engine);
    expect(view).toMatchObject({ status: 'Failed', error: { code: 'StoredDocumentInvalid' } });
    expect(engine.secondary.writes).toEqual([]);
  });

  it('names exactly one thing', () => {
    expect(parseErasure('{"userId":" Ada "}')).toEqual({ kind: 'userId', value: 'Ada' });
    for (const body of ['', '{}', '{"userId":""}', '{"userId":"a","tag":"b"}', '{"email":"a"}']) {
      expect(() => parseErasure(body), body).toThrow(/request body cannot be used/);
    }
  });
});

describe('a snapshot', () => {
  it('can be deleted, with all that is stored of it', async () => {
    const engine = await aBackedUp(4);
    const first = (await engine.blobs.list('one/devices/snapshots/'))[0]?.name.split('/')[3] ?? '';
    await backUp(engine);
    await erase(engine.app, byUser);
    expect(await deleteSnapshot(engine.app, first)).toEqual({ id: first, hub: one, deleted: true });
    expect((await engine.blobs.list('one/')).filter(({ name }) => name.includes(first))).toEqual([]);
    expect(await codeOf(deleteSnapshot(engine.app, first))).toBe('SnapshotNotFound');
  });

  it('is kept while it is pinned, in use, or the newest good one of its hub', async () => {
    const { engine, snapshot } = await aHubWithAda();
    expect(await codeOf(deleteSnapshot(engine.app, snapshot))).toBe('SnapshotKept');
    await backUp(engine);
    await pinSnapshot(engine.app, snapshot);
    expect(await codeOf(deleteSnapshot(engine.app, snapshot))).toBe('SnapshotKept');
    await unpinSnapshot(engine.app, snapshot);
    await beginRestore(engine.app, { snapshot });
    expect(await codeOf(deleteSnapshot(engine.app, snapshot))).toBe('SnapshotKept');
    await engine.drain();
    expect(await codeOf(deleteSnapshot(engine.app, snapshot))).toBe('none');
  });
});
