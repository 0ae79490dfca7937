import { putBackIn, putBackOnly, undoneInSource } from '../../../core/baseline/put-back.ts';
import { type BaselineRecord, entryOf } from '../../../core/baseline/record.ts';
import { recordVersionOf } from '../../../core/fingerprint/row.ts';
import { type Shown, shownIn } from '../../../core/fingerprint/shown.ts';
import { isInPlace } from '../../../core/registration/expected.ts';
import { keyHashOf } from '../../../core/registration/record.ts';
import { isRepairInPlace, readAtOf, timesOf } from '../../../core/restore/plan/circumstances.ts';
import { newestLetters, outcomeOf, removalOf } from '../../../core/restore/plan/outcomes.ts';
import type { JournalNote } from '../../../core/restore/plan/seen.ts';
import { openAgreed, writeBaselineShard } from '../../baseline/store.ts';
import type { RollbackScope } from '../compare/rollback-scope.ts';
import type { ClosedShard } from './close-baseline.ts';

/**
 * Stores what the pair agrees on once a restore is rolled back: of each record that is as it was before the restore,
 * what was agreed on then, with the versions that the rollback's own writes gave; of any other, what is agreed on now.
 */
export async function closeRollbackShard(closed: ClosedShard, scope: RollbackScope): Promise<void> {
  const { app, run, shard } = closed;
  const { restore } = scope;
  const agreedBefore = await openAgreed(app, restore, shard);
  const agreed = await openAgreed(app, run, shard);
  const hub = isRepairInPlace(run) ? 'source' : 'target';
  const ends = endsOf(closed, scope);
  const undo = await lookAtUndo(closed, scope, ends);
  const removed = new Set(ends.removed);
  const nextOf = (keyHash: number): BaselineRecord => {
    const shown = undo.get(keyHash);
    // Where its device has said the same again, what spoke of the row before does not speak of this one.
    if (shown?.isAsBefore && !shown.isOurs) return agreed.get(keyHash);
    if (shown?.isAsBefore && hub === 'target' && agreedBefore.isLost && shown.wasOurs)
      return putBackOnly(keyHash, shown.now, readAtOf(restore), timesOf(run).lookAt);
    if (shown?.isAsBefore) return putBackIn((hub === 'source' ? agreed : agreedBefore).get(keyHash), hub, shown);
    if (removed.has(keyHash) && hub === 'source')
      return undoneInSource(agreed.get(keyHash), agreedBefore.get(keyHash), readAtOf(restore));
    if (removed.has(keyHash)) return agreedBefore.get(keyHash);
    const record = agreed.get(keyHash);
    // Put back in part: that is no device's word.
    const isHalf = shown?.hasFailed && entryOf(record)?.[hub].version !== shown.now.version;
    return isHalf ? { keyHash, agreed: 'unknown', note: undefined } : record;
  };
  const keyHashes = new Set([...agreedBefore.keyHashes(), ...agreed.keyHashes(), ...undo.keys(), ...removed]);
  const table = writeBaselineShard(app, run, shard, keyHashes.size);
  for (const keyHash of keyHashes) {
    const record = nextOf(keyHash);
    if (record.agreed !== 'none' || record.note !== undefined) table.add(record);
  }
  await table.store();
}

/** What the rollback has made of its records, by hash, and what it has noted of them. */
interface Ends {
  readonly removed: readonly number[];
  readonly failed: ReadonlySet<number>;
  readonly putBack: ReadonlySet<number>;
  readonly noted: ReadonlyMap<number, JournalNote>;
}

function endsOf({ fingerprints, outcomes, before, journal }: ClosedShard, { extras }: RollbackScope): Ends {
  const { count } = fingerprints;
  const removed: number[] = [];
  const failed = new Set<number>();
  const putBack = new Set<number>();
  const noted = new Map<number, JournalNote>();
  for (const [index, letter] of [...newestLetters(outcomes.letters().join(''), before?.letters)].entries()) {
    const keyHash = index < count ? fingerprints.keyHashAt(index) : keyHashOf(extras[index - count] ?? '');
    if (index < count && removalOf(letter) !== undefined) removed.push(keyHash);
    if (outcomeOf(letter) === 'failed') failed.add(keyHash);
    if (outcomeOf(letter) !== 'putBack') continue;
    putBack.add(keyHash);
    const note = journal.get(index);
    if (note !== undefined) noted.set(keyHash, note);
  }
  return { removed, failed, putBack, noted };
}

/** What lives now of a record that was there before the restore. */
interface ShownOfUndo {
  readonly before: Shown;
  readonly now: Shown;
  readonly isAsBefore: boolean;
  /** It was never changed, or the rollback has put it back. */
  readonly isOurs: boolean;
  readonly hasFailed: boolean;
  /** The restore did not overwrite a conflict with it. */
  readonly wasOurs: boolean;
}

async function lookAtUndo({ openLive }: ClosedShard, { undo, extras, restore }: RollbackScope, ends: Ends) {
  const shown = new Map<number, ShownOfUndo>();
  if (undo.size === 0) return shown;
  const live = await openLive();
  const overwrites = restore.request.onConflict === 'overwrite';
  for (const [key, { before }] of undo) {
    const keyHash = keyHashOf(key);
    const listed = live.get(key);
    const found = listed && shownIn(listed.rows);
    // What the listing passed over, or showed as it was before the rollback's write, the hub has shown when it was asked.
    const asked = shownByNote(ends.noted.get(keyHash));
    const isOutdated = asked !== undefined && asked.version !== found?.version;
    const now = isOutdated ? asked : found;
    if (now === undefined) continue;
    const then = shownIn(before.rows);
    shown.set(keyHash, {
      before: then,
      now,
      isOurs: ends.putBack.has(keyHash) || then.version === now.version,
      isAsBefore: isOutdated || (listed !== undefined && isInPlace(before, listed)),
      hasFailed: ends.failed.has(keyHash),
      wasOurs: !overwrites || extras.includes(key),
    });
  }
  return shown;
}

function shownByNote(note: JournalNote | undefined): Shown | undefined {
  if (typeof note !== 'object') return undefined;
  return { version: recordVersionOf(note.seen), content: Number.NaN };
}
