import type { FingerprintTable } from '../../../../core/fingerprint/table.ts';
import { isSameHub } from '../../../../core/paths.ts';
import type { WrittenRecord } from '../../../../core/restore/plan/removal.ts';
import { showsAll } from '../../../../core/restore/plan/too-early.ts';
import type { RestoreRun } from '../../../../core/run/run.ts';
import type { App } from '../../../app.ts';
import { openEarlierRuns, readEarlierWrites } from './earlier-writes.ts';

/**
 * What a restore wrote of a shard. Runs may have ended right before it whose writes of installations took effect among
 * its own: its look may have shown theirs, and its own came after that. So each counts as one more write of its own.
 */
export async function withSentBefore(
  app: App,
  restore: RestoreRun,
  shard: number,
  written: ReadonlyMap<number, WrittenRecord>,
  fingerprints: FingerprintTable,
): Promise<ReadonlyMap<number, WrittenRecord>> {
  if (written.size === 0) return written;
  const startedAt = Date.parse(restore.createdAt);
  const late = (restore.unfinished ?? []).filter(({ endedAt }) => !showsAll(endedAt, startedAt));
  const sentBefore = new Map<number, number>();
  for (const earlier of await openEarlierRuns(app, { ...restore, unfinished: late })()) {
    if (earlier.run.request.purpose === 'rollback' || !isSameHub(earlier.run.hub, restore.hub)) continue;
    const { sent } = await readEarlierWrites(app, earlier, shard, restore, NONE_CHANGED);
    for (const { keyHash } of sent) sentBefore.set(keyHash, (sentBefore.get(keyHash) ?? 0) + 1);
  }
  if (sentBefore.size === 0) return written;
  const isInstallationAt = (index: number): boolean => fingerprints.idHashesAt(index).length === 0;
  return new Map(
    [...written].map(([index, what]) => {
      const more = isInstallationAt(index) ? (sentBefore.get(fingerprints.keyHashAt(index)) ?? 0) : 0;
      return [index, more === 0 ? what : { ...what, rewriteCount: (what.rewriteCount ?? 0) + more }];
    }),
  );
}

const NONE_CHANGED: ReadonlyMap<string, unknown> = new Map();
