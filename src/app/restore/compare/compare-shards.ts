import { Likeness, type LivePrints } from '../../../core/fingerprint/comparison.ts';
import type { PrintTable } from '../../../core/fingerprint/table.ts';
import { manifestName, resultName } from '../../../core/paths.ts';
import { membersOf, type Neighbours } from '../../../core/registration/record.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { Manifest } from '../../../core/snapshot/manifest.ts';
import type { App } from '../../app.ts';
import type { Moved } from '../../runs/dispatch.ts';
import { doShards } from '../../runs/do-shards.ts';
import { beat } from '../../runs/store.ts';
import { openSnapshotPrints, readSnapshotPrints } from '../../snapshots/fingerprints.ts';
import { openSnapshotShard, readManifest } from '../../snapshots/store.ts';
import { documents } from '../../stored/documents.ts';
import { invalidDocument } from '../../stored/invalid.ts';
import { storeLikeness } from './comparison.ts';
import { storeForeignHandles } from './foreign-handles.ts';
import { openLivePrints } from './live-rows.ts';
import { selectionOf, storeSelection } from './selection.ts';

/**
 * Holds what lives in the target against shards of the snapshot, by their prints. In the first pass that does four
 * things before any reconcile step begins: the shard's checksum is proven before the first write, its prints are stored
 * for this pass and later ones, devices that live under another key are known to all shards, and so is how many records
 * the restore is about.
 */
export function compareShards(app: App, run: RestoreRun, shards: Neighbours): Promise<Moved> {
  return doShards(app, run, shards, () => compareAll(app, run, shards), 'reconcile');
}

async function compareAll(app: App, run: RestoreRun, shards: Neighbours): Promise<void> {
  const printsOf =
    run.phase.pass === 1 ? await openSnapshot(app, run) : (shard: number) => readSnapshotPrints(app, run, shard);
  const livePrintsOf = await openLivePrints(app, run, shards);
  for (const shard of membersOf(shards)) {
    await storeCompared(app, run, shard, await printsOf(shard), await livePrintsOf(shard));
    await beat(app, 'restore', run.id);
  }
}

async function storeCompared(app: App, run: RestoreRun, shard: number, prints: PrintTable, live: LivePrints) {
  const name = resultName('restore', run.id, run.phase.pass, 'seal', shard);
  await storeForeignHandles(app, run, shard, handlesLivingElsewhere(live, prints));
  await storeLikeness(app, run, shard, Likeness.of(prints, live));
  const facts = { done: '1', records: String(live.size) };
  await documents.comparedShard.write(app, name, { records: live.size }, 'any', facts);
}

/** Gives a shard's prints once its bytes are proven and its selection is stored. */
async function openSnapshot(app: App, run: RestoreRun): Promise<(shard: number) => Promise<PrintTable>> {
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

async function proveShard(app: App, run: RestoreRun, manifest: Manifest, shard: number): Promise<PrintTable> {
  const snapshot = await openSnapshotShard(app, manifest, shard);
  const prints = await openSnapshotPrints(app, run, shard, snapshot);
  const isSelected = await selectionOf(app, run, shard, snapshot);
  await storeSelection(app, run, shard, prints.platformOfEach(), isSelected);
  return prints;
}

/**
 * The handles that live in the target under a key the snapshot's shard does not have them under: their devices
 * registered again, so that restoring them under the old key would push to them twice.
 */
function handlesLivingElsewhere(live: LivePrints, prints: PrintTable): number[] {
  const known = new Map<number, readonly number[]>();
  for (let index = 0; index < prints.count; index += 1) {
    const { keyHash, handleHashes } = prints.at(index);
    if (live.has(keyHash)) known.set(keyHash, handleHashes);
  }
  const elsewhere = new Set<number>();
  for (const [keyHash, rows] of live) {
    const handles = known.get(keyHash) ?? [];
    for (const { handleHash } of rows) if (!handles.includes(handleHash)) elsewhere.add(handleHash);
  }
  return [...elsewhere];
}
