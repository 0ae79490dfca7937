import { Comparison, type LiveFingerprints } from '../../../core/fingerprint/comparison.ts';
import type { FingerprintTable } from '../../../core/fingerprint/table.ts';
import { manifestName, resultName } from '../../../core/paths.ts';
import { membersOf, type Neighbours } from '../../../core/registration/record.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { Manifest } from '../../../core/snapshot/manifest.ts';
import type { App } from '../../app.ts';
import { doShards, type Moved } from '../../runs/dispatch.ts';
import { beat } from '../../runs/store.ts';
import { openSnapshotFingerprints, readSnapshotFingerprints } from '../../snapshots/fingerprints.ts';
import { openSnapshotShard, readManifest } from '../../snapshots/store.ts';
import { documents } from '../../stored/documents.ts';
import { invalidDocument } from '../../stored/invalid.ts';
import { storeComparison } from './comparison.ts';
import { storeForeignHandles } from './foreign-handles.ts';
import { openLiveFingerprints } from './live-rows.ts';
import { selectionOf, storeSelection } from './selection.ts';

/**
 * Holds what lives in the target against shards of the snapshot, by their fingerprints. In the first pass that does
 * four things before any reconcile step begins: the shard's checksum is proven before the first write, its fingerprints
 * are stored for this pass and later ones, devices that live under another key are known to all shards, and so is how
 * many records the restore is about.
 */
export function compareShards(app: App, run: RestoreRun, shards: Neighbours): Promise<Moved> {
  return doShards(app, run, shards, () => compareAll(app, run, shards), 'reconcile');
}

async function compareAll(app: App, run: RestoreRun, shards: Neighbours): Promise<void> {
  const fingerprintsOf =
    run.phase.pass === 1 ? await openSnapshot(app, run) : (shard: number) => readSnapshotFingerprints(app, run, shard);
  const liveFingerprintsOf = await openLiveFingerprints(app, run, shards);
  for (const shard of membersOf(shards)) {
    await storeResult(app, run, shard, await fingerprintsOf(shard), await liveFingerprintsOf(shard));
    await beat(app, 'restore', run.id);
  }
}

async function storeResult(
  app: App,
  run: RestoreRun,
  shard: number,
  fingerprints: FingerprintTable,
  live: LiveFingerprints,
) {
  const name = resultName('restore', run.id, run.phase.pass, 'seal', shard);
  await storeForeignHandles(app, run, shard, handlesLivingElsewhere(live, fingerprints));
  await storeComparison(app, run, shard, Comparison.of(fingerprints, live));
  const facts = { done: '1', records: String(live.size) };
  await documents.comparedShard.write(app, name, { records: live.size }, 'any', facts);
}

/** Gives a shard's fingerprints once its bytes are proven and its selection is stored. */
async function openSnapshot(app: App, run: RestoreRun): Promise<(shard: number) => Promise<FingerprintTable>> {
  const { sourceHub, snapshotId } = run.request;
  const manifest = await readManifest(app, sourceHub, snapshotId);
  if (manifest === undefined) {
    throw invalidDocument({
      what: 'document',
      name: manifestName(sourceHub, snapshotId),
      why: 'of this run is missing',
    });
  }
  return (shard) => proveShard(app, run, manifest, shard);
}

async function proveShard(app: App, run: RestoreRun, manifest: Manifest, shard: number): Promise<FingerprintTable> {
  const snapshot = await openSnapshotShard(app, manifest, shard);
  const fingerprints = await openSnapshotFingerprints(app, run, shard, snapshot);
  const isSelected = await selectionOf(app, run, shard, snapshot);
  await storeSelection(app, run, shard, fingerprints.platformOfEach(), isSelected);
  return fingerprints;
}

/**
 * The handles that live in the target under a key the snapshot's shard does not have them under: their devices
 * registered again, so that restoring them under the old key would push to them twice.
 */
function handlesLivingElsewhere(live: LiveFingerprints, fingerprints: FingerprintTable): number[] {
  const known = new Map<number, readonly number[]>();
  for (let index = 0; index < fingerprints.count; index += 1) {
    const { keyHash, handleHashes } = fingerprints.at(index);
    if (live.has(keyHash)) known.set(keyHash, handleHashes);
  }
  const elsewhere = new Set<number>();
  for (const [keyHash, rows] of live) {
    const handles = known.get(keyHash) ?? [];
    for (const { handleHash } of rows) if (!handles.includes(handleHash)) elsewhere.add(handleHash);
  }
  return [...elsewhere];
}
