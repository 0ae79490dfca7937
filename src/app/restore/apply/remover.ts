import { versionHashOf } from '../../../core/fingerprint/row.ts';
import { decideRemoval } from '../../../core/restore/decide-removal.ts';
import { planRemoval } from '../../../core/restore/plan-removal.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { readLiveRecords } from '../compare/live-rows.ts';
import { readJournal } from '../outcomes/journal.ts';
import { readRunOf, readWritten } from '../outcomes/written.ts';
import { readMintedIds } from './id-map.ts';
import { LAST_PASS } from './next-pass.ts';
import type { RecordPlanner, ShardToPlan } from './planner.ts';

/**
 * The first pass of a rollback compares with what the restore saw, and notes what it is about to remove; later passes
 * compare with that note, so that a device which registers the same again is not taken for what was removed.
 */
export async function openRemover(
  app: App,
  run: RestoreRun,
  { shard, openRecords }: ShardToPlan,
): Promise<RecordPlanner> {
  const records = await openRecords();
  const live = await readLiveRecords(app, run, shard);
  const restore = await readRunOf(app, run);
  const written = await readWritten(app, restore, shard);
  const minted = await readMintedIds(app, restore, shard);
  const { pass } = run.phase;
  const removed = pass === 1 ? undefined : await readJournal(app, run.id, 1, shard);
  return (index, earlier) => {
    const record = records.at(index);
    const found = live.get(record.key);
    const versionHashes = removed?.get(index);
    const seen = typeof versionHashes === 'object' ? { seen: new Set(versionHashes) } : {};
    const what = { ...written.get(index), ...seen };
    const plan = planRemoval(record, found, what, (id) => minted.get(id) ?? []);
    const decision = decideRemoval(plan, earlier === 'removed', pass === LAST_PASS);
    const isNoted = pass === 1 && plan.kind === 'remove' && found !== undefined;
    return { decision, collapsed: 0, addedRows: [], noted: isNoted ? found.rows.map(versionHashOf) : undefined };
  };
}
