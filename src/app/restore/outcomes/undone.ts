import type { FingerprintTable } from '../../../core/fingerprint/table.ts';
import { keyHashOf } from '../../../core/registration/record.ts';
import type { Undo } from '../../../core/restore/plan-put-back.ts';
import type { WrittenRecord } from '../../../core/restore/plan-removal.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { readUndo } from './undo.ts';
import { readRunOf, readWritten } from './written.ts';

/** What a rollback is about in one shard. */
export interface Undone {
  readonly restore: RestoreRun;
  /** By position in the snapshot's shard. */
  readonly written: ReadonlyMap<number, WrittenRecord>;
  /** By key. */
  readonly undo: ReadonlyMap<string, Undo>;
  /** Of the undo the keys that the snapshot does not hold: they come after its records. */
  readonly extras: readonly string[];
  /** Whether the record lived in the target before, and is to be put back. */
  hasUndoAt(index: number): boolean;
}

export async function openUndone(
  app: App,
  rollback: RestoreRun,
  shard: number,
  fingerprints: FingerprintTable,
): Promise<Undone> {
  const restore = await readRunOf(app, rollback);
  const undo = await readUndo(app, restore, shard);
  const keys = new Map([...undo.keys()].map((key) => [keyHashOf(key), key]));
  const inSnapshot = new Set<string>();
  const positions = new Set<number>();
  for (let index = 0; index < fingerprints.count; index += 1) {
    const key = keys.get(fingerprints.keyHashAt(index));
    if (key === undefined) continue;
    inSnapshot.add(key);
    positions.add(index);
  }
  return {
    restore,
    written: await readWritten(app, restore, shard),
    undo,
    extras: extrasOf(undo, inSnapshot),
    hasUndoAt: (index) => positions.has(index),
  };
}

/** Of the undo the keys that the snapshot does not hold, in the order of their positions. */
export function extrasOf(undo: Undone['undo'], inSnapshot: ReadonlySet<string>): string[] {
  return [...undo.keys()].filter((key) => !inSnapshot.has(key)).sort();
}
