import { type RestoreRun, startOfRunId } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { listRunIds, readHolder } from '../../runs/store.ts';
import { isOperatorsId } from '../../runs/sync-rests.ts';
import { mapConcurrent } from '../../stored/concurrent.ts';

/** Run documents read at once. */
const READERS = 16;

/** An id may be by the clock of the caller's computer, which may be that slow. */
const CLOCK_SKEW_MS = 24 * 3_600_000;

/**
 * The id of the retry, or retry of a retry, that has put in place what this restore left out, and was not rolled back
 * since; `undefined` where there is none. It costs one listing and the runs of operators since, where the restore
 * failed, else nothing.
 */
export async function findRetryOf(app: App, run: RestoreRun): Promise<string | undefined> {
  if (!mayBeRetried(run)) return undefined;
  const since = Date.parse(run.createdAt) - CLOCK_SKEW_MS;
  const isWanted = (id: string): boolean => id !== run.id && isOperatorsId(id) && (startOfRunId(id) ?? since) >= since;
  const ids = (await listRunIds(app, 'restore')).filter(isWanted);
  const later = await mapConcurrent(ids, READERS, (id) => readHolder(app, 'restore', id));
  return completedBy(
    later.filter((one) => typeof one === 'object'),
    run.id,
  );
}

function mayBeRetried(run: RestoreRun): boolean {
  const { purpose, dryRun } = run.request;
  const isWriter = !dryRun && purpose !== 'rollback' && purpose !== 'sync' && purpose !== 'drill';
  return isWriter && run.status === 'Failed';
}

function completedBy(runs: readonly RestoreRun[], id: string): string | undefined {
  const of = (purpose: string, which: string) =>
    runs.filter(({ request }) => request.purpose === purpose && request.of === which);
  for (const retry of of('retry', id)) {
    if (of('rollback', retry.id).length > 0) continue;
    const last = retry.status === 'Succeeded' ? retry.id : completedBy(runs, retry.id);
    if (last !== undefined) return last;
  }
  return undefined;
}
