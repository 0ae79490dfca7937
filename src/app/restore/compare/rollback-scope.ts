import type { FingerprintTable } from '../../../core/fingerprint/table.ts';
import { keyHashOf } from '../../../core/registration/record.ts';
import type { Undo } from '../../../core/restore/plan/put-back.ts';
import type { WrittenRecord } from '../../../core/restore/plan/removal.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { openErased } from '../../snapshots/erased.ts';
import { extrasOf, placesIn, readUndo } from '../outcomes/undo.ts';
import { readRunOf, readWritten } from '../outcomes/written.ts';
import { withSentBefore } from './earlier/sent-before.ts';
import { readSinceRestore, type SinceRestore } from './since-restore.ts';

/** What a rollback is about in one shard. */
export interface RollbackScope {
  readonly restore: RestoreRun;
  /** By position in the snapshot's shard. */
  readonly written: ReadonlyMap<number, WrittenRecord>;
  /** By key. */
  readonly undo: ReadonlyMap<string, Undo>;
  /**
   * Keys of what the restore overwrote or withdrew and the snapshot does not hold: they come after its records. Those
   * of which the undo holds nothing a newer run has written since, or they were erased.
   */
  readonly extras: readonly string[];
  /** Whether the record lived in the target before, and is to be put back. */
  hasUndoAt(index: number): boolean;
  readonly versionBefore: SinceRestore['versionBefore'];
}

export async function openRollbackScope(
  app: App,
  rollback: RestoreRun,
  shard: number,
  fingerprints: FingerprintTable,
): Promise<RollbackScope> {
  const restore = await readRunOf(app, rollback);
  const since = await readSinceRestore(app, rollback, restore, shard, fingerprints);
  const all = await readUndo(app, restore, shard);
  const own = await readWritten(app, restore, shard);
  const written = since.withVersions(await withSentBefore(app, restore, shard, own, fingerprints));
  const isErased = await erasedOf(app, rollback);
  const undo = new Map([...all].filter(([key, { before }]) => !since.isNewers(keyHashOf(key)) && !isErased(before)));
  const places = placesIn(all, fingerprints);
  const positions = new Set([...places].flatMap(([key, index]) => (undo.has(key) ? [index] : [])));
  return {
    restore,
    written: new Map([...written].filter(([index]) => !since.isNewers(fingerprints.keyHashAt(index)))),
    undo,
    extras: extrasOf(all, places),
    hasUndoAt: (index) => positions.has(index),
    versionBefore: since.versionBefore,
  };
}

/** The erasures of its restore's snapshot hold for a rollback, too: it puts no erased person back. */
async function erasedOf(app: App, { source, request }: RestoreRun): ReturnType<typeof openErased> {
  return source?.hasErasures === undefined ? () => false : openErased(app, request.sourceHub, request.snapshotId);
}
