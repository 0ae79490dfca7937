import { DrError, orFault } from '../../../core/errors.ts';
import { membersOf, type RecordOfRows, sectionsOf, shardOf } from '../../../core/registration/record.ts';
import type { WrittenOutcome } from '../../../core/restore/plan/outcomes.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { Manifest } from '../../../core/snapshot/manifest.ts';
import type { App } from '../../app.ts';
import { needSnapshotFingerprints } from '../../snapshots/fingerprints.ts';
import { openSnapshotShard, readManifest } from '../../snapshots/store.ts';
import { once } from '../../stored/once.ts';
import { outcomesOfWritten, readNewest } from '../outcomes/written.ts';
import { logUnknownWrites } from './half-changed.ts';

/** A record that an earlier run wrote, or was about to. */
interface Sent {
  readonly keyHash: number;
  readonly outcome: WrittenOutcome;
  /** Nothing where the snapshot it came from can no longer be read. */
  readonly open: () => Promise<RecordOfRows | undefined>;
}

/** What an earlier run wrote, or was about to, of one of the run's shards. Without its documents that is not known. */
export async function readWrittenRecords(
  app: App,
  earlier: RestoreRun,
  shard: number,
  run: RestoreRun,
): Promise<Sent[]> {
  const { sourceHub, snapshotId } = earlier.request;
  const shards = membersOf(sectionsOf(shard, run.shardCount, earlier.shardCount));
  const read = async (): Promise<Sent[]> => {
    const manifest = await readManifest(app, sourceHub, snapshotId);
    if (manifest === undefined) return [];
    const all = await Promise.all(shards.map((one) => readSent(app, earlier, manifest, one)));
    return all.flat().filter(({ keyHash }) => shardOf(keyHash, run.shardCount) === shard);
  };
  const found = await orFault(read());
  if (!(found instanceof DrError)) return found;
  logUnknownWrites(app, earlier, shard, found);
  return [];
}

async function readSent(app: App, earlier: RestoreRun, manifest: Manifest, shard: number): Promise<Sent[]> {
  const newest = await readNewest(app, earlier, shard);
  const outcomes = newest === undefined ? [] : [...outcomesOfWritten(newest)];
  if (outcomes.length === 0) return [];
  // Nearly always fingerprints tell that all is as it was agreed on.
  const openRecords = once(async () => {
    const opened = await orFault(openSnapshotShard(app, manifest, shard).then((snapshot) => snapshot.openRecords()));
    if (!(opened instanceof DrError)) return opened;
    logUnknownWrites(app, earlier, shard, opened);
    return undefined;
  });
  const fingerprints = await needSnapshotFingerprints(app, manifest, shard);
  return outcomes.map(([index, outcome]) => ({
    keyHash: fingerprints.keyHashAt(index),
    outcome,
    open: async () => (await openRecords())?.at(index),
  }));
}
