import { expect, test } from 'vitest';
import { rolesBySettings } from '../../src/app/runs/roles.ts';
import { chooseSnapshot } from '../../src/app/snapshots/store.ts';
import { backUp, codeOf, seed } from '../support/drive.ts';
import { createEngine } from '../support/engine.ts';

const latestFile = 'one/devices/latest.json';
const manifestOf = (id: string): string => `one/devices/snapshots/${id}/manifest.json`;

test('a latest.json whose id was changed to a later one is taken over by the next backup', async () => {
  const engine = createEngine();
  seed(engine);
  const first = await backUp(engine);
  const text = Buffer.from((await engine.blobs.get(latestFile))?.bytes ?? []).toString();
  await engine.blobs.put(latestFile, Buffer.from(text.replace(first, `2${first.slice(1).replace('0', '9')}`)), 'any');
  const second = await backUp(engine);
  expect(Buffer.from((await engine.blobs.get(latestFile))?.bytes ?? []).toString()).toContain(
    `"snapshotId":"${second}"`,
  );
});

test("another snapshot's manifest in a snapshot's place is refused, and latest passes over it", async () => {
  const engine = createEngine();
  seed(engine);
  const [first, second] = [await backUp(engine), await backUp(engine)];
  const older = (await engine.blobs.get(manifestOf(first)))?.bytes ?? new Uint8Array();
  await engine.blobs.put(manifestOf(second), older, 'any');
  const roles = rolesBySettings(engine.app);
  expect(await codeOf(chooseSnapshot(engine.app, roles, second))).toBe('SnapshotCorrupt');
  const { manifest, warnings } = await chooseSnapshot(engine.app, roles, 'latest');
  expect(manifest.id).toBe(first);
  expect(warnings.join()).toContain(manifestOf(second));
});

test('a snapshot of which a shard is gone is not latest', async () => {
  const engine = createEngine();
  seed(engine);
  const [first, second] = [await backUp(engine), await backUp(engine)];
  const shard = `one/devices/snapshots/${second}/shards/0002.jsonl.gz`;
  await engine.blobs.remove(shard);
  const { manifest, warnings } = await chooseSnapshot(engine.app, rolesBySettings(engine.app), 'latest');
  expect(manifest.id).toBe(first);
  expect(warnings.join()).toContain(shard);
});
