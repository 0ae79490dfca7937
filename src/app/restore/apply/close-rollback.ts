import { putBackIn } from '../../../core/baseline/put-back.ts';
import { shownIn } from '../../../core/fingerprint/shown.ts';
import { isInPlace } from '../../../core/registration/expected.ts';
import { keyHashOf, type RecordOfRows } from '../../../core/registration/record.ts';
import { isRepairInPlace } from '../../../core/restore/circumstances.ts';
import { openAgreed, writeBaselineShard } from '../../baseline/store.ts';
import type { Undone } from '../outcomes/undone.ts';
import type { ClosedShard } from './close-baseline.ts';

/**
 * Stores what the pair agreed on before the restore that is undone, with the versions that the rollback's own writes
 * gave: putting a row back raises its ETag.
 */
export async function closeUndoneShard(
  { app, run, shard, openLive }: Pick<ClosedShard, 'app' | 'run' | 'shard' | 'openLive'>,
  { restore, undo }: Undone,
): Promise<void> {
  const baseline = await openAgreed(app, restore, shard);
  if (restore.baseline === undefined || baseline.isLost) return;
  const live: ReadonlyMap<string, RecordOfRows> = undo.size === 0 ? new Map() : await openLive();
  const hub = isRepairInPlace(run) ? 'source' : 'target';
  const changes = new Map(
    [...undo].flatMap(([key, { before }]) => {
      const now = live.get(key);
      if (now === undefined || !isInPlace(before, now)) return [];
      return [[keyHashOf(key), { before: shownIn(before.rows), now: shownIn(now.rows) }] as const];
    }),
  );
  const keyHashes = [...baseline.keyHashes()];
  const table = writeBaselineShard(app, run, shard, keyHashes.length);
  for (const keyHash of keyHashes) {
    const change = changes.get(keyHash);
    const record = baseline.get(keyHash);
    table.add(change === undefined ? record : putBackIn(record, hub, change));
  }
  await table.store();
}
