import { undoName } from '../../../core/paths.ts';
import type { RecordOfRows } from '../../../core/registration/record.ts';
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
