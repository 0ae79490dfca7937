import { type RestoreRun, startOfRunId } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { listRuns } from '../../runs/store.ts';
import { isOperatorsId } from '../../runs/sync-rests.ts';
import { once } from '../../stored/once.ts';

/** An id may be by the clock of the caller's computer, which may be that slow. */
const CLOCK_SKEW_MS = 24 * 3_600_000;

/**
 * The id of the retry, or retry of a retry, that has put in place what this restore left out, and was not rolled back
 * since; `undefined` where there is none. It costs one listing and the runs of operators since, where the restore
 * failed or was cancelled, else nothing.
 */
export async function findRetryOf(app: App, run: RestoreRun): Promise<string | undefined> {
  if (!mayBeRetried(run)) return undefined;
  return completedBy(await readSince(app, [run], (id) => id !== run.id), run.id);
}

/** The same of each of several, for which the runs since then are read once. */
export function openRetries(app: App, restores: readonly RestoreRun[]): typeof findRetryOf {
  const readLater = once(() => readSince(app, restores.filter(mayBeRetried)));
  return async (_, run) => (mayBeRetried(run) ? completedBy(await readLater(), run.id) : undefined);
}

/** Of operators, since the first of these began; the oldest first. */
async function readSince(
  app: App,
  restores: readonly RestoreRun[],
  isWanted: (id: string) => boolean = () => true,
): Promise<readonly RestoreRun[]> {
  const since = Math.min(...restores.map(({ createdAt }) => Date.parse(createdAt))) - CLOCK_SKEW_MS;
  const isSince = (id: string): boolean => isOperatorsId(id) && (startOfRunId(id) ?? since) >= since;
  const all = await listRuns(app, 'restore', Number.POSITIVE_INFINITY, (id) => isWanted(id) && isSince(id));
  return all.toReversed();
}

function mayBeRetried(run: RestoreRun): boolean {
  const { purpose, dryRun } = run.request;
  const isWriter = !dryRun && purpose !== 'rollback' && purpose !== 'sync' && purpose !== 'drill';
  return isWriter && (run.status === 'Failed' || run.status === 'Canceled');
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
