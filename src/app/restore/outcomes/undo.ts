import { undoFolder, undoName } from '../../../core/paths.ts';
import type { RecordOfRows } from '../../../core/registration/record.ts';
import { parseRegistration } from '../../../core/registration/registration.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { documents } from '../../stored/documents.ts';

/** What a rollback needs to put back what is about to be overwritten or withdrawn; stored before it is. */
export async function storeUndo(
  app: App,
  run: RestoreRun,
  shard: number,
  due: readonly { readonly index: number; readonly undo?: RecordOfRows | undefined }[],
): Promise<void> {
  const records = due.flatMap(({ index, undo }) =>
    undo === undefined ? [] : [{ index, key: undo.key, rows: undo.rows.map(({ xml }) => xml) }],
  );
  const [first] = records;
  if (first === undefined) return;
  await documents.undo.write(app, undoName(run.id, shard, first.index), { records }, 'any');
}

/** By position what lived in the target before the restore changed it. Throws `StoredDocumentInvalid`, naming the blob. */
export async function readUndo(app: App, restore: RestoreRun, shard: number): Promise<Map<number, RecordOfRows>> {
  const undo = new Map<number, RecordOfRows>();
  for (const { name } of await app.blobs.list(undoFolder(restore.id, shard))) {
    const { records } = await documents.undo.read(app, name);
    for (const { index, key, rows } of records) undo.set(index, { key, rows: rows.map(parseRegistration) });
  }
  return undo;
}
