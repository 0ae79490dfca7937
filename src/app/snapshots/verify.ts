import { DrError, orFault } from '../../core/errors.ts';
import { resultName, resultsFolder, snapshotFolder } from '../../core/paths.ts';
import type { VerificationResult, VerificationRun } from '../../core/run/run.ts';
import type { Manifest } from '../../core/snapshot/manifest.ts';
import { counted } from '../../core/words.ts';
import type { App } from '../app.ts';
import { type Moved, moveOn } from '../runs/dispatch.ts';
import { endRun, failureOf } from '../runs/end.ts';
import { areAllDone } from '../runs/shard-phase.ts';
import { documents } from '../stored/documents.ts';
import { storeProof } from './marks.ts';
import { readManifest, readSnapshotShard } from './store.ts';

/** This many damaged documents are named; the counts cover all. */
const MAX_NAMED = 100;

type Artefact = VerificationResult['damagedArtefacts'][number];

/** Checks one shard and stores what became of it. Running it twice finds the same. */
export async function verifyShard(app: App, run: VerificationRun, shard: number): Promise<Moved> {
  const name = resultName('verification', run.id, 1, 'verify', shard);
  if ((await app.blobs.get(name)) === undefined) {
    const manifest = await manifestOf(app, run);
    const damage = await findDamage(app, manifest, shard);
    const facts = {
      done: '1',
      records: String(manifest.shards[shard]?.records ?? 0),
      damaged: damage === undefined ? '0' : '1',
    };
    if (damage === undefined) await documents.soundShard.write(app, name, {}, 'any', facts);
    else await documents.damagedShard.write(app, name, damage, 'any', facts);
  }
  return (await areAllDone(app, run, 'verify')) ? moveOn(app, run, { name: 'finish', pass: 1 }) : undefined;
}

/** Ends a verification; what it found becomes the snapshot's proof, for or against it. */
export async function finishVerification(app: App, run: VerificationRun): Promise<void> {
  const result = await sumVerification(app, run);
  const isSound = result.counts.verified === result.counts.total;
  await storeProof(app, await manifestOf(app, run), { how: 'verified', runId: run.id, isSound });
  const message = `Snapshot ${run.snapshotId} is damaged: ${result.damagedArtefacts.length} of its ${counted(run.shardCount, 'shard')} cannot be restored. Restore another snapshot (notification-hubs-dr snapshots lists them), and back up now: notification-hubs-dr backup`;
  const error = new DrError('SnapshotCorrupt', message, { target: run.snapshotId });
  if (isSound) await endRun(app, run, 'Succeeded', { result });
  else await endRun(app, run, 'Failed', { result, error: failureOf(error) });
}

/** What a verification has come to so far: one listing, and a read for each damaged shard. */
export async function sumVerification(app: App, run: VerificationRun): Promise<VerificationResult> {
  const entries = await app.blobs.list(resultsFolder('verification', run.id, 1, 'verify'));
  const recordsOf = (isDamaged: string): number =>
    entries.reduce(
      (sum, { facts }) => (facts['damaged'] === isDamaged ? sum + (Number(facts['records']) || 0) : sum),
      0,
    );
  const [verified, damaged] = [recordsOf('0'), recordsOf('1')];
  const damagedArtefacts: Artefact[] = [];
  for (const { name, facts } of entries) {
    if (facts['damaged'] !== '1' || damagedArtefacts.length === MAX_NAMED) continue;
    damagedArtefacts.push(await documents.damagedShard.read(app, name));
  }
  const pending = Math.max(0, run.recordCount - verified - damaged);
  return { counts: { total: run.recordCount, verified, damaged, pending }, damagedArtefacts };
}

async function manifestOf(app: App, run: VerificationRun): Promise<Manifest> {
  const manifest = await readManifest(app, run.hub, run.snapshotId);
  if (manifest !== undefined) return manifest;
  const message = `Snapshot ${run.snapshotId} is gone; it was there when this run began.`;
  throw new DrError('SnapshotNotFound', message, { target: run.snapshotId });
}

/** Reads a shard as a restore does: bytes against their checksum, then every record and registration. */
async function findDamage(app: App, manifest: Manifest, shard: number): Promise<Artefact | undefined> {
  const entry = manifest.shards[shard];
  const name = `${snapshotFolder(manifest.hub, manifest.id)}${entry?.name ?? `shard ${shard}`}`;
  const records = await orFault(readSnapshotShard(app, manifest, shard));
  if (records instanceof DrError) {
    // What the storage does not give says nothing about the snapshot.
    if (records.code === 'StorageArchived' || records.code === 'StorageUnavailable') throw records;
    return { name, code: 'SnapshotCorrupt', message: records.message };
  }
  const registrations = records.reduce((sum, { rows }) => sum + rows.length, 0);
  if (registrations === entry?.registrations) return undefined;
  const message = `It holds ${counted(registrations, 'registration')}; the manifest says ${entry?.registrations}.`;
  return { name, code: 'SnapshotCorrupt', message };
}
