import { putBackIn } from '../../../core/baseline/put-back.ts';
import { shownIn } from '../../../core/fingerprint/shown.ts';
import { isInPlace } from '../../../core/registration/expected.ts';
import { keyHashOf, type RecordOfRows } from '../../../core/registration/record.ts';
import { isRepairInPlace } from '../../../core/restore/circumstances.ts';
import { newestLetters, removalOf } from '../../../core/restore/outcomes.ts';
import { openAgreed, writeBaselineShard } from '../../baseline/store.ts';
import type { Undone } from '../outcomes/undone.ts';
import type { ClosedShard } from './close-baseline.ts';

/**
 * Stores what the pair agrees on once a restore is undone: of each record that is as it was before the restore, what was
 * agreed on then, with the versions that the rollback's own writes gave; of any other, what is agreed on now.
 */
export async function closeUndoneShard(
  { app, run, shard, fingerprints, outcomes, before, openLive }: Omit<ClosedShard, 'journal'>,
  { restore, undo }: Undone,
): Promise<void> {
  const agreedBefore = await openAgreed(app, restore, shard);
  const agreed = await openAgreed(app, run, shard);
  const live: ReadonlyMap<string, RecordOfRows> = undo.size === 0 ? new Map() : await openLive();
  const hub = isRepairInPlace(run) ? 'source' : 'target';
  const putBack = new Map(
    [...undo].flatMap(([key, { before: rowsBefore }]) => {
      const now = live.get(key);
      if (now === undefined || !isInPlace(rowsBefore, now)) return [];
      return [[keyHashOf(key), { before: shownIn(rowsBefore.rows), now: shownIn(now.rows) }] as const];
    }),
  );
  const letters = newestLetters(outcomes.letters().join(''), before?.letters).slice(0, fingerprints.count);
  const removed = new Set(
    [...letters].flatMap((letter, index) => (removalOf(letter) === undefined ? [] : [fingerprints.keyHashAt(index)])),
  );
  const keyHashes = new Set([...agreedBefore.keyHashes(), ...agreed.keyHashes(), ...putBack.keys(), ...removed]);
  const table = writeBaselineShard(app, run, shard, keyHashes.size);
  for (const keyHash of keyHashes) {
    const change = putBack.get(keyHash);
    const isUndone = change !== undefined || removed.has(keyHash);
    const record = (isUndone ? agreedBefore : agreed).get(keyHash);
    if (record.agreed === 'none' && record.note === undefined) continue;
    table.add(change === undefined ? record : putBackIn(record, hub, change));
  }
  await table.store();
}
