import { describe, expect, it } from 'vitest';
import { createMemory } from '../../src/app/app.ts';
import { readStatus } from '../../src/app/readiness/status.ts';
import { declareRole, readRoleView } from '../../src/app/runs/declare-role.ts';
import { readRoles } from '../../src/app/runs/roles.ts';
import { listSnapshotViews } from '../../src/app/snapshots/view.ts';
import { watch } from '../../src/app/watchdog.ts';
import { ROLE_NAME } from '../../src/core/paths.ts';
import { aBackedUp, backUp, beginRestore, codeOf, restore, seed } from '../support/drive.ts';
import { createEngine, type Engine, one, three } from '../support/engine.ts';
import { anAppleRow } from '../support/rows.ts';

const says = (hub: 'one' | 'three', more: object = {}) => ({
  active: `${hub}/devices`,
  confirm: `${hub}/devices`,
  ...more,
});

/** Restored, and the devices have moved since, which the operator says. */
async function aFailedOver(): Promise<Engine> {
  const engine = await aBackedUp();
  await restore(engine);
  engine.advance(60_000);
  await declareRole(engine.app, says('three', { note: 'region down' }));
  return engine;
}

async function findingsOf({ app }: Engine) {
  await watch(app);
  return (await readStatus(app)).findings.filter(({ code }) => /Role|NoGood/.test(code));
}

describe('the role', () => {
  it('is what the settings say until it is declared; then it is stored, with its history', async () => {
    const engine = createEngine();
    seed(engine);
    const before = await readRoleView(engine.app);
    expect(before).toMatchObject({ active: one, standby: three, since: '1970-01-01T00:00:00.000Z', declared: null });
    expect(await engine.blobs.list('_role')).toEqual([]);
    await backUp(engine);
    await restore(engine);
    engine.advance(60_000);
    const at = new Date(engine.app.world.now()).toISOString();
    const declared = await declareRole(engine.app, says('three', { note: 'region down' }));
    expect(declared).toMatchObject({ active: three, standby: one, since: at });
    expect(declared.history).toEqual([
      { hub: three, since: at, by: 'operator', note: 'region down' },
      { hub: one, since: '1970-01-01T00:00:00.000Z', by: 'settings' },
    ]);
    expect(await readRoleView(engine.app)).toEqual(declared);
  });

  it('lies in one blob that backends can read by themselves', async () => {
    const engine = await aFailedOver();
    const blob = await engine.container.get('_pairs/one/devices/three/devices/role.json');
    const stored: unknown = JSON.parse(Buffer.from(blob?.bytes ?? []).toString());
    expect(stored).toMatchObject({ formatVersion: 1, active: three, standby: one, declared: { note: 'region down' } });
  });

  it('that was declared holds whatever the settings call primary; an exchange of them after that is a finding', async () => {
    const engine = await aFailedOver();
    await backUp(engine);
    const exchanged = engine.fork(({ primary, secondary }) => ({ primary: secondary, secondary: primary }));
    expect(await readRoleView(exchanged.app)).toMatchObject({ active: three });
    expect(await findingsOf(exchanged)).toMatchObject([
      {
        code: 'RoleUnsettled',
        message: expect.stringContaining('The settings were exchanged after three/devices was declared to be in use'),
      },
    ]);
    await declareRole(exchanged.app, says('three'));
    expect(await findingsOf(exchanged)).toEqual([]);
  });

  it('is declared with the full name of the hub, of one of the two', async () => {
    const engine = await aFailedOver();
    expect(await codeOf(declareRole(engine.app, { active: 'primary' }))).toBe('ConfirmationMissing');
    await expect(declareRole(engine.app, { active: 'primary', confirm: 'three/devices' })).rejects.toMatchObject({
      code: 'ConfirmationMissing',
      message: expect.stringMatching(/confirmation does not name the hub.*one\/devices/),
    });
    expect(await codeOf(declareRole(engine.app, { active: 'five/devices' }))).toBe('WrongTarget');
  });

  it('of a hub into which nothing was restored is refused, unless it is forced', async () => {
    const engine = await aBackedUp();
    expect(await codeOf(declareRole(engine.app, says('three')))).toBe('RoleContradicted');
    await restore(engine, { dryRun: true });
    expect(await codeOf(declareRole(engine.app, says('three')))).toBe('RoleContradicted');
    expect(await declareRole(engine.app, says('three', { force: true }))).toMatchObject({ active: three });
    // What was restored before the present hub came into use does not count.
    expect(await codeOf(declareRole(engine.app, says('one')))).toBe('RoleContradicted');
  });

  it('that is damaged starts no run, stops the readiness, and is repaired by declaring it', async () => {
    const engine = await aFailedOver();
    await engine.blobs.put(ROLE_NAME, Buffer.from('damaged'), 'any');
    expect(await codeOf(beginRestore(engine.app))).toBe('StoredDocumentInvalid');
    expect(await codeOf(backUp(engine))).toBe('StoredDocumentInvalid');
    expect((await findingsOf(engine))[0]).toMatchObject({ level: 'stop', code: 'RoleUnreadable' });
    await declareRole(engine.app, says('three', { force: true }));
    expect((await readRoles(engine.app)).role.history.map(({ hub }) => hub)).toEqual([one, three]);
    await backUp(engine);
  });

  it('is known to a process that has just started, from the card', async () => {
    const engine = await aFailedOver();
    await watch(engine.app);
    const { role } = await readStatus({ ...engine.app, memory: createMemory() });
    expect(role).toMatchObject({ active: three, standby: one });
  });
});

describe('runs follow the role', () => {
  it('backups are of the hub in use, and its snapshots are listed beside those of the other', async () => {
    const engine = await aFailedOver();
    await backUp(engine);
    const listed = await listSnapshotViews(engine.app);
    expect(listed.map(({ hub }) => hub)).toEqual([three, one]);
  });

  it('a restore that names nothing goes from the hub in use into the standby', async () => {
    const engine = await aFailedOver();
    engine.primary.rows.clear();
    const snapshot = await backUp(engine);
    const view = await restore(engine);
    expect(view).toMatchObject({
      status: 'Succeeded',
      snapshot: { id: snapshot, hub: three },
      target: { role: 'primary', ...one },
      counts: { created: 24 },
    });
  });

  it('the hub in use is written to only when its name is typed back, and the refusal says what it is', async () => {
    const engine = await aFailedOver();
    await backUp(engine);
    const [, ofOne] = await listSnapshotViews(engine.app);
    const body = { snapshot: ofOne?.id, target: 'secondary' };
    await expect(beginRestore(engine.app, body)).rejects.toMatchObject({
      code: 'ConfirmationMissing',
      message: expect.stringContaining('three/devices, the hub in use'),
    });
    await expect(beginRestore(engine.app, { target: 'secondary' })).rejects.toMatchObject({
      code: 'TargetIsSource',
      message: expect.stringContaining('three/devices, is the hub in use'),
    });
    expect(await restore(engine, { ...body, confirm: 'three/devices' })).toMatchObject({ status: 'Succeeded' });
  });

  it('without a snapshot that is as new as the role nothing is restored, and both ways are spelled out', async () => {
    const engine = await aFailedOver();
    await expect(beginRestore(engine.app)).rejects.toMatchObject({ code: 'NoGoodSnapshot' });
    expect(await findingsOf(engine)).toMatchObject([{ level: 'stop', code: 'NoGoodSnapshot' }]);
    await backUp(engine);
    expect(await restore(engine)).toMatchObject({ status: 'Succeeded' });
    await declareRole(engine.app, says('one'));
    engine.advance(1000);
    await expect(beginRestore(engine.app)).rejects.toMatchObject({
      code: 'SnapshotOlderThanRole',
      message: expect.stringMatching(/If one\/devices is in use, back it up first.*if three\/devices is, say so/),
    });
    expect(await findingsOf(engine)).toMatchObject([{ level: 'stop', code: 'SnapshotOlderThanRole' }]);
    const [, ofOne] = (await listSnapshotViews(engine.app)).map(({ id }) => id);
    expect(await codeOf(beginRestore(engine.app, { snapshot: ofOne }))).toBe('none');
  });

  it('a snapshot of the new hub is judged by those of the hub before', async () => {
    const engine = await aFailedOver();
    for (const id of [...engine.secondary.rows.keys()].slice(0, 20)) engine.secondary.rows.delete(id);
    await backUp(engine);
    const [newest] = await listSnapshotViews(engine.app);
    expect(newest).toMatchObject({ hub: three, health: 'suspect' });
    expect(await codeOf(beginRestore(engine.app))).toBe('NoGoodSnapshot');
  });
});

describe('a restore into the standby leaves the role open', () => {
  it('until it is declared, either way', async () => {
    const engine = await aBackedUp();
    const { id } = await restore(engine);
    const finding = { level: 'risk', code: 'RoleUnsettled', runId: id };
    expect(await findingsOf(engine)).toMatchObject([finding]);
    await restore(engine, { dryRun: true });
    expect(await findingsOf(engine)).toMatchObject([finding]);
    engine.advance(1000);
    await declareRole(engine.app, says('one'));
    expect(await findingsOf(engine)).toEqual([]);
  });

  it('until the settings say it', async () => {
    const engine = await aBackedUp();
    await restore(engine);
    const exchanged = engine.fork(({ primary, secondary }) => ({ primary: secondary, secondary: primary }));
    exchanged.secondary.rows.set('990-5-1', anAppleRow({ id: '990-5-1', tags: ['new'] }));
    await backUp(exchanged);
    expect(await findingsOf(exchanged)).toEqual([]);
  });
});
