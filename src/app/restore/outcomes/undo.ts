import { RecordFault } from '../../../core/errors.ts';
import { versionHashOf } from '../../../core/fingerprint/row.ts';
import type { FingerprintTable } from '../../../core/fingerprint/table.ts';
import { undoFolder, undoName } from '../../../core/paths.ts';
import type { Hub } from '../../../core/ports.ts';
import { groupRows, keyHashOf, type RecordOfRows, recordKey, shardOf } from '../../../core/registration/record.ts';
import { parseRegistration, type Registration } from '../../../core/registration/registration.ts';
import type { Undo } from '../../../core/restore/plan/put-back.ts';
import type { AsSeen, Write } from '../../../core/restore/plan/write.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { findRow } from '../../listing/hub-rows.ts';
import { forEachConcurrent, mapConcurrent } from '../../stored/concurrent.ts';
import { documents } from '../../stored/documents.ts';

/** Each step of a restore has stored some: one after another they could take longer than a step may. */
const READERS = 16;

export interface AboutToChange {
  readonly hub: Hub;
  readonly deadlineAt: number;
  readonly idFor: (id: string) => string;
}

interface Change {
  readonly writes: readonly Write[];
  /** What lives there under the record's key. */
  readonly undo?: RecordOfRows | undefined;
}

/**
 * What a rollback needs to put back what is about to be overwritten or withdrawn; stored before it is. Gives the records
 * that must not be written, since the target does not show what they would be written over.
 */
export async function storeUndo<C extends Change>(
  app: App,
  run: RestoreRun,
  target: AboutToChange,
  due: readonly C[],
): Promise<ReadonlyMap<C, RecordFault>> {
  const { rows, unread } = await readDisplaced(app, target, due);
  const displaced = groupRows(rows).records;
  await store(app, run, [
    ...due.flatMap(({ undo }) => (undo === undefined ? [] : [{ ...undo, isDisplaced: false }])),
    ...displaced.map((record) => ({ ...record, isDisplaced: true })),
  ]);
  return unread;
}

/** The same of a row that only a question has shown. */
export async function storeDisplaced(app: App, run: RestoreRun, row: Registration): Promise<void> {
  await store(app, run, [{ key: recordKey(row), rows: [row], isDisplaced: true }]);
}

interface Changing extends RecordOfRows {
  readonly isDisplaced: boolean;
}

async function store(app: App, run: RestoreRun, records: readonly Changing[]): Promise<void> {
  // Each under a name of its own: a step that takes up where another died must not replace what that one stored.
  const name = app.world.newSuffix();
  for (const [shard, own] of Map.groupBy(records, ({ key }) => shardOf(keyHashOf(key), run.shardCount))) {
    const stored = own.map((record) => ({ ...record, rows: record.rows.map(({ xml }) => xml) }));
    await documents.undo.write(app, undoName(run.id, shard, name), { records: stored }, 'any');
  }
}

/** Rows under other keys that a record is written over, as the target shows them now. */
async function readDisplaced<C extends Change>(
  app: App,
  { hub, deadlineAt, idFor }: AboutToChange,
  due: readonly C[],
): Promise<{ readonly rows: readonly Registration[]; readonly unread: ReadonlyMap<C, RecordFault> }> {
  const moves: { readonly of: C; readonly id: string; readonly asSeen: AsSeen }[] = [];
  for (const of of due) {
    for (const write of of.writes) {
      if (write.kind !== 'registration' || write.asSeen === undefined || write.asSeen.length === 0) continue;
      moves.push({ of, id: idFor(write.id), asSeen: write.asSeen });
    }
  }
  const rows: Registration[] = [];
  const unread = new Map<C, RecordFault>();
  await forEachConcurrent(moves, app.policy.maxConcurrency, async ({ of, id, asSeen }) => {
    try {
      const row = await findRow(hub, id, { deadlineAt });
      if (row !== undefined && asSeen.includes(versionHashOf(row))) rows.push(row);
    } catch (error) {
      if (!(error instanceof RecordFault)) throw error;
      unread.set(of, error);
    }
  });
  return { rows, unread };
}

/** By key what lived in the target before the restore changed it. Throws `StoredDocumentInvalid`, naming the blob. */
export async function readUndo(app: App, restore: RestoreRun, shard: number): Promise<Map<string, Undo>> {
  const undo = new Map<string, Undo>();
  const blobs = await app.blobs.list(undoFolder(restore.id, shard));
  const stored = await mapConcurrent(blobs, READERS, ({ name }) => documents.undo.read(app, name));
  for (const { records } of stored) {
    for (const { key, rows, isDisplaced } of records) {
      const known = undo.get(key);
      const ids = new Set(known?.before.rows.map(({ id }) => id));
      const added = rows.map(parseRegistration).filter(({ id }) => !ids.has(id));
      undo.set(key, {
        before: { key, rows: [...(known?.before.rows ?? []), ...added] },
        isDisplaced: isDisplaced || known?.isDisplaced === true,
      });
    }
  }
  return undo;
}

/** Which keys of the undo a shard of the snapshot holds, and where. */
export function placesIn(undo: ReadonlyMap<string, Undo>, fingerprints: FingerprintTable): Map<string, number> {
  const keys = new Map([...undo.keys()].map((key) => [keyHashOf(key), key]));
  const places = new Map<string, number>();
  for (let index = 0; index < fingerprints.count; index += 1) {
    const key = keys.get(fingerprints.keyHashAt(index));
    if (key !== undefined) places.set(key, index);
  }
  return places;
}

/** Of the undo the keys that the snapshot does not hold, in the order of their positions. */
export function extrasOf(undo: ReadonlyMap<string, Undo>, inSnapshot: { has(key: string): boolean }): string[] {
  return [...undo.keys()].filter((key) => !inSnapshot.has(key)).sort();
}
