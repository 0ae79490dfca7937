import { DrError } from '../../../core/errors.ts';
import type { Comparison } from '../../../core/fingerprint/comparison.ts';
import type { FingerprintTable } from '../../../core/fingerprint/table.ts';
import { manifestName } from '../../../core/paths.ts';
import { keyHashOf } from '../../../core/registration/record.ts';
import { asListed } from '../../../core/restore/plan/circumstances.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { ShardRecords } from '../../../core/snapshot/shard.ts';
import type { App } from '../../app.ts';
import type { BaselineShard } from '../../baseline/shard.ts';
import { openBaseline } from '../../baseline/store.ts';
import { readSnapshotFingerprints } from '../../snapshots/fingerprints.ts';
import { openSnapshotShard, readManifest } from '../../snapshots/store.ts';
import { once } from '../../stored/once.ts';
import { readComparison } from '../compare/comparison.ts';
import { type LiveRecords, readLiveRecords } from '../compare/live-rows.ts';
import { openRollbackScope, type RollbackScope } from '../compare/rollback-scope.ts';

/** What a step reads of its shard: each at most once, and only when it is needed. */
export interface ShardReads {
  readonly fingerprints: FingerprintTable;
  /** The snapshot's records in full. */
  readonly openRecords: () => Promise<ShardRecords>;
  /** What the listing of the target showed that this pass goes by. */
  readonly openComparison: () => Promise<Comparison>;
  /** What the first one showed: what was in the target before the run wrote. */
  readonly openFirstComparison: () => Promise<Comparison>;
  /** What the listing that this pass goes by showed, with all that the rows say. */
  readonly openLive: () => Promise<LiveRecords>;
  /** What the pair agreed on before this run. */
  readonly openPairBaseline: () => Promise<BaselineShard>;
  /** Of a rollback. */
  readonly scope: RollbackScope | undefined;
}

export async function openShardReads(app: App, run: RestoreRun, shard: number): Promise<ShardReads> {
  const fingerprints = await readSnapshotFingerprints(app, run, shard);
  const scope = run.request.purpose === 'rollback' ? await openRollbackScope(app, run, shard, fingerprints) : undefined;
  const listed = asListed(run);
  const comparisonOf = (pass: number) => readComparison(app, listed, shard, fingerprints.count, pass);
  const openComparison = once(() => comparisonOf(listed.phase.pass));
  const openFirstComparison = listed.phase.pass === 1 ? openComparison : once(() => comparisonOf(1));
  const extraKeys = async (): Promise<number[]> =>
    [await openComparison(), await openFirstComparison()].flatMap(({ extras }) => extras.map(({ keyHash }) => keyHash));
  return {
    fingerprints,
    scope,
    openRecords: once(() => openSnapshotRecords(app, run, shard)),
    openComparison,
    openFirstComparison,
    openLive: once(async () => {
      const places = fingerprints.places();
      const others = new Set(scope === undefined ? await extraKeys() : [...scope.undo.keys()].map(keyHashOf));
      return readLiveRecords(app, listed, shard, (keyHash) => places.has(keyHash) || others.has(keyHash));
    }),
    openPairBaseline: once(() => openBaseline(app, run, shard)),
  };
}

async function openSnapshotRecords(app: App, { request }: RestoreRun, shard: number): Promise<ShardRecords> {
  const manifest = await readManifest(app, request.sourceHub, request.snapshotId);
  if (manifest !== undefined) return (await openSnapshotShard(app, manifest, shard)).openRecords();
  const message = `Snapshot ${request.snapshotId} was deleted. Restore another one.`;
  throw new DrError('SnapshotNotFound', message, { target: manifestName(request.sourceHub, request.snapshotId) });
}
