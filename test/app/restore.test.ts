import { expect, test } from 'vitest';
import { readBackupView } from '../../src/app/backup/view.ts';
import { readStatus } from '../../src/app/readiness/status.ts';
import { readFailures } from '../../src/app/restore/failures.ts';
import { cancelRestore } from '../../src/app/restore/outcomes/cancel.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { startVerification } from '../../src/app/snapshots/start-verification.ts';
import { readSnapshotView } from '../../src/app/snapshots/view.ts';
import { watch } from '../../src/app/watchdog.ts';
import { DrError } from '../../src/core/errors.ts';
import { recordKey } from '../../src/core/registration/record.ts';
import { canonicalRow, parseRegistration } from '../../src/core/registration/registration.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { aBackedUp, backUp, codeOf, restore, seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import { anAppleRow, anInstallation, tokenOf } from '../support/rows.ts';

const HOUR_MS = 3_600_000;

/** A hub's content by record: what a device would notice. */
function contentOf(hub: { rows: Map<string, string> }): Record<string, string[]> {
  const content: Record<string, string[]> = {};
  for (const xml of hub.rows.values()) {
    const key = recordKey(parseRegistration(xml));
    content[key] = [...(content[key] ?? []), canonicalRow(xml)].sort();
  }
  return content;
}

test('a restore into an empty hub brings every record back as it was', async () => {
  const engine = await aBackedUp(30);
  const view = await restore(engine);
  expect(view).toMatchObject({ status: 'Succeeded', counts: { total: 30, created: 30, pending: 0, failed: 0 } });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

test('plain registrations keep their registration ids', async () => {
  const engine = await aBackedUp(30);
  await restore(engine);
  expect(engine.secondary.rows.has('19-5-1')).toBe(true);
});

test('a second restore writes nothing, and a third leaves a device alone that changed live', async () => {
  const engine = await aBackedUp(30);
  await restore(engine);
  engine.secondary.writes.length = 0;
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { unchanged: 30, created: 0 } });
  expect(engine.secondary.writes).toEqual([]);
  engine.secondary.rows.set('19-5-1', anAppleRow({ id: '19-5-1', tags: ['moved-on'], etag: 7 }));
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { unchanged: 29, keptLive: 1 } });
  expect(engine.secondary.writes).toEqual([]);
});

test('a device that registered again under another identity is not restored beside it', async () => {
  const engine = await aBackedUp(30);
  for (const [id, xml] of anInstallation('new-app')) {
    engine.secondary.rows.set(id, xml.replaceAll(tokenOf('new-app'), tokenOf('19-5-1')));
  }
  expect(await restore(engine)).toMatchObject({ counts: { created: 29, keptLive: 1 } });
});

test('a device whose rows are half there is completed', async () => {
  const engine = createEngine();
  const token = tokenOf('both');
  engine.primary.rows.set('1-1-1', anAppleRow({ id: '1-1-1', token, tags: ['a'] }));
  engine.primary.rows.set(
    '1-1-2',
    anAppleRow({ id: '1-1-2', token, tags: ['a'], template: { name: 't', body: '{}' } }),
  );
  await backUp(engine);
  engine.secondary.rows.set('7-7-7', anAppleRow({ id: '7-7-7', token, tags: ['a'] }));
  expect(await restore(engine)).toMatchObject({ counts: { total: 1, updated: 1 } });
  expect([...engine.secondary.rows.keys()]).toEqual(['7-7-7', '1-1-2']);
});

test('equal rows of one device become one and are counted', async () => {
  const engine = createEngine();
  for (const id of ['1-1-1', '1-1-2', '1-1-3']) {
    engine.primary.rows.set(id, anAppleRow({ id, token: tokenOf('same'), tags: ['a'] }));
  }
  await backUp(engine);
  expect(await restore(engine)).toMatchObject({ counts: { total: 1, created: 1 }, duplicatesCollapsed: 2 });
  expect(engine.secondary.rows.size).toBe(1);
});

test('a target that refuses foreign registration ids gives new ones, once for each row', async () => {
  const engine = createEngine();
  seed(engine, 30);
  engine.secondary.refusesForeignIds = true;
  await backUp(engine);
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { created: 30 } });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

test('a record the target will not take is set aside with its reason, and the restore is not green', async () => {
  const engine = await aBackedUp(30);
  engine.secondary.intercept = (_kind, id) =>
    id === 'device-2' ? { kind: 'rejected', status: 400, reason: 'Rejected' } : undefined;
  expect(await restore(engine)).toMatchObject({
    status: 'Failed',
    error: { code: 'RestoreIncomplete' },
    counts: { created: 29, failed: 1, pending: 0 },
    failuresByCode: { Rejected: 1 },
  });
});

test('an installation PUT that is swallowed is repaired by one that differs', async () => {
  const engine = await aBackedUp(30);
  await restore(engine);
  engine.secondary.ignoresIdenticalPuts = true;
  const before = contentOf(engine.secondary);
  // The rows are lost while the hub remembers the last PUT.
  await restoreAfterLoss(engine);
  expect(contentOf(engine.secondary)).toEqual(before);
});

async function restoreAfterLoss(engine: Engine): Promise<void> {
  await restore(engine); // Teaches the trap what was put last: nothing, all is unchanged.
  for (const [id, xml] of engine.secondary.rows) if (xml.includes('$InstallationId')) engine.secondary.rows.delete(id);
  const first = await restore(engine);
  expect(first).toMatchObject({ status: 'Succeeded', repaired: 15 });
  for (const [id, xml] of engine.secondary.rows) if (xml.includes('$InstallationId')) engine.secondary.rows.delete(id);
  // What the hub remembers is the repair, which differs.
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', repaired: 0 });
}

test('a dry run counts what it would do and writes nothing', async () => {
  const engine = await aBackedUp(30);
  expect(await restore(engine, { dryRun: true })).toMatchObject({ status: 'Succeeded', counts: { created: 30 } });
  expect(engine.secondary.writes).toEqual([]);
});

test('a cancelled restore stops, keeps its counts, and a new one continues from there', async () => {
  const engine = await aBackedUp(30);
  const { run } = await startRestore(engine.app, parseRestoreRequest(''));
  await cancelRestore(engine.app, run.id);
  await engine.drain();
  expect(await readRestoreView(engine.app, run.id)).toMatchObject({ status: 'Canceled', counts: { pending: 30 } });
  expect(engine.secondary.writes).toEqual([]);
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded' });
});

test('a damaged shard fails the restore before anything is written', async () => {
  const engine = createEngine();
  seed(engine, 30);
  const id = await backUp(engine);
  const name = `one/devices/snapshots/${id}/shards/0001.jsonl.gz`;
  const blob = await engine.blobs.get(name);
  const bytes = Uint8Array.from(blob?.bytes ?? []);
  bytes[bytes.length - 5] = (bytes[bytes.length - 5] ?? 0) ^ 1;
  await engine.blobs.put(name, bytes, 'any');
  const view = await restore(engine);
  expect(view).toMatchObject({ status: 'Failed', error: { code: 'SnapshotCorrupt', target: name } });
  expect(engine.secondary.writes).toEqual([]);
});

test('a snapshot that a restore found damaged is passed over from then on, until it is proven', async () => {
  const engine = createEngine();
  seed(engine, 30);
  const older = await backUp(engine);
  engine.advance(HOUR_MS);
  const id = await backUp(engine);
  const name = `one/devices/snapshots/${id}/shards/0001.jsonl.gz`;
  const intact = (await engine.blobs.get(name))?.bytes ?? new Uint8Array();
  await engine.blobs.put(name, Uint8Array.from(intact).fill(0, 20, 24), 'any');
  const failed = await restore(engine);
  expect(failed).toMatchObject({ status: 'Failed', snapshot: { id }, error: { code: 'SnapshotCorrupt' } });
  expect(failed.nextActions.map(({ name: action }) => action)).toEqual(['restoreAgain', 'verify', 'report']);
  expect(failed.nextActions[0]).toMatchObject({ body: { snapshot: 'latest' } });
  const heartbeats = engine.notifier.heartbeatCount;
  await watch(engine.app);
  expect(engine.notifier.heartbeatCount).toBe(heartbeats);
  expect(await readStatus(engine.app)).toMatchObject({
    latestGoodSnapshot: { id: older },
    findings: expect.arrayContaining([
      { level: 'risk', code: 'SnapshotPassedOver', message: expect.stringContaining(`${id} was found damaged`) },
    ]),
  });
  const damaged = expect.stringContaining(`Snapshot ${id} was found damaged`);
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', snapshot: { id: older }, warnings: [damaged] });
  expect((await restore(engine, { snapshot: id })).warnings).toEqual(expect.arrayContaining([damaged]));
  await engine.blobs.put(name, intact, 'any');
  await startVerification(engine.app, id, 'http');
  await engine.drain();
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', snapshot: { id } });
});

test('a missing shard, a damaged manifest and an unknown version each have their own error', async () => {
  const engine = createEngine();
  seed(engine, 30);
  const id = await backUp(engine);
  const manifestName = `one/devices/snapshots/${id}/manifest.json`;
  const original = (await engine.blobs.get(manifestName))?.bytes ?? new Uint8Array();
  const text = Buffer.from(original).toString();
  const start = (snapshot: string) => startRestore(engine.app, parseRestoreRequest(JSON.stringify({ snapshot })));
  await engine.blobs.put(manifestName, Buffer.from(text.replace('"formatVersion": 1', '"formatVersion": 9')), 'any');
  expect(await codeOf(start(id))).toBe('SnapshotVersionUnknown');
  await engine.blobs.put(manifestName, Buffer.from(text.replace('"records": 30', '"records": 31')), 'any');
  expect(await codeOf(start(id))).toBe('SnapshotCorrupt');
  await engine.blobs.put(manifestName, original, 'any');
  await engine.blobs.remove(`one/devices/snapshots/${id}/shards/0000.jsonl.gz`);
  expect(await codeOf(start(id))).toBe('SnapshotCorrupt');
  expect(await codeOf(start('2020-01-01T00-00-00Z-none'))).toBe('SnapshotNotFound');
});

test('the source hub is refused as target unless its full name is typed back', async () => {
  const engine = await aBackedUp(30);
  const start = (body: object) => startRestore(engine.app, parseRestoreRequest(JSON.stringify(body)));
  expect(await codeOf(start({ target: 'primary' }))).toBe('TargetIsSource');
  expect(await codeOf(start({ target: 'primary', confirm: 'devices' }))).toBe('ConfirmationMissing');
  expect(await codeOf(start({ target: 'primary', confirm: 'three/devices' }))).toBe('ConfirmationMissing');
  expect(await codeOf(start({ target: 'primary', confirm: 'One/Devices' }))).toBe('none');
});

test('a target whose tier is too small is refused before the first write', async () => {
  const engine = await aBackedUp(600, { policy: { secondaryTier: 'Free' } });
  expect(await codeOf(startRestore(engine.app, parseRestoreRequest('')))).toBe('TargetTooSmall');
});

test('the same id with the same body is one restore; with another body it is refused', async () => {
  const engine = await aBackedUp(30);
  const first = await startRestore(engine.app, parseRestoreRequest(''), { id: 'incident-42' });
  expect(first.isNew).toBe(true);
  expect((await startRestore(engine.app, parseRestoreRequest(''), { id: 'incident-42' })).isNew).toBe(false);
  expect(await codeOf(startRestore(engine.app, parseRestoreRequest('{"dryRun":true}'), { id: 'incident-42' }))).toBe(
    'RunIdInUse',
  );
  expect(await codeOf(startRestore(engine.app, parseRestoreRequest('')))).toBe('RunInProgress');
});

test('every message delivered twice, and again late, changes nothing', async () => {
  const engine = createEngine();
  seed(engine, 30);
  const sent: string[] = [];
  const plain = engine.queue.send;
  engine.queue.send = async (lane, texts, delay) => {
    sent.push(...texts);
    await plain(lane, [...texts, ...texts], delay);
  };
  await backUp(engine);
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { created: 30 } });
  await plain('restores', sent);
  await engine.drain();
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

test('a listing that loses its token begins again and says so', async () => {
  const engine = createEngine();
  seed(engine, 300);
  engine.primary.loseNextToken = true;
  const id = await backUp(engine);
  expect(await readBackupView(engine.app, id)).toMatchObject({ result: { recordCount: 300, health: 'good' } });
});

test('a row that cannot be read is counted and left out; all others are backed up', async () => {
  const engine = createEngine();
  seed(engine, 2000);
  engine.primary.rows.set('bad', '<AppleRegistrationDescription><Tags>x</Tags>');
  const id = await backUp(engine);
  const manifest = await readSnapshotView(engine.app, id);
  expect(manifest).toMatchObject({ unreadableRows: 1, health: 'good', counts: { records: 2000 } });
});

test('a row the target refuses for its own fault costs no other row its registration id', async () => {
  const engine = await aBackedUp(30);
  engine.secondary.intercept = (_kind, _id, body) =>
    body.includes(tokenOf('19-5-1')) ? { kind: 'idRefused', status: 400 } : undefined;
  expect(await restore(engine)).toMatchObject({ counts: { created: 29, failed: 1 }, failuresByCode: { Rejected: 1 } });
  const plain = (hub: typeof engine.primary) =>
    [...hub.rows.keys()].filter((id) => id.endsWith('9-5-1') && id !== '19-5-1');
  expect(plain(engine.secondary).sort()).toEqual(plain(engine.primary).sort());
});

test('failures are listed page by page with their reasons, and without device tokens', async () => {
  const engine = await aBackedUp(500);
  engine.secondary.intercept = (kind) =>
    kind === 'registration' ? { kind: 'rejected', status: 413, reason: 'TooLarge' } : undefined;
  const { id } = await restore(engine);
  const found: Awaited<ReturnType<typeof readFailures>>['value'][number][] = [];
  let from: string | undefined;
  do {
    const page = await readFailures(engine.app, id, from);
    expect(page.value.length).toBeLessThanOrEqual(100);
    found.push(...page.value);
    from = page.next;
  } while (from !== undefined);
  expect(new Set(found.map((one) => one.record)).size).toBe(250);
  expect(found[0]).toEqual({
    record: expect.stringMatching(/^device apple [0-9a-f]{12}$/),
    platform: 'Apple',
    code: 'TooLarge',
    status: 413,
  });
  expect(await codeOf(readFailures(engine.app, id, 'nonsense'))).toBe('BadRequest');
  expect(await codeOf(readFailures(engine.app, 'unknown'))).toBe('RunNotFound');
});

test('a hub that keeps a step waiting until its time is up does not wear the run out while records settle', async () => {
  const engine = await aBackedUp(400, { policy: { maxConcurrency: 1 } });
  let calls = 0;
  engine.secondary.intercept = () => {
    calls += 1;
    if (calls % 3 === 0) throw new DrError('HubUnavailable', 'out of time', { retryable: true });
    return undefined;
  };
  const startedAt = engine.app.world.now();
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { created: 400 } });
  // More than a hundred interruptions, and no growing waits for any of them.
  expect(calls).toBeGreaterThan(300);
  expect(engine.app.world.now() - startedAt).toBeLessThan(60_000);
});
