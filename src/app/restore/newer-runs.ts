import { DrError } from '../../core/errors.ts';
import { fullNameOf, isSameHub } from '../../core/paths.ts';
import { isDrillRunId } from '../../core/readiness/drill.ts';
import { mayHaveWritten } from '../../core/run/amounts.ts';
import { isRollbackOf, MAX_NEWER, type NewerRun, type RestoreRun, startOfRunId } from '../../core/run/run.ts';
import type { App } from '../app.ts';
import { appsOfOtherPairs, describePair } from '../runs/other-pairs.ts';
import { listRunIds, readHolder, readRun } from '../runs/store.ts';
import { mapConcurrent } from '../stored/concurrent.ts';
import { readCurrentResult } from './outcomes/totals.ts';

/** Run documents read at once. */
const READERS = 16;

/** The terminal tool makes ids by the clock of its computer, which may be that slow. `createdAt` is the storage's time. */
const CLOCK_SKEW_MS = 24 * 3_600_000;

/** What a rollback has to know of the runs that wrote to its hub after the restore that it undoes. */
interface Newer {
  readonly runs: NewerRun[];
  readonly warnings: readonly string[];
}

/**
 * What newer runs wrote is not this restore's, and what they overwrote comes back only with their own rollbacks. So
 * those come first: throws `NewerRunExists`, unless the caller keeps what the newer runs wrote. A retry belongs to its
 * restore, and can be rolled back before it or after it.
 */
export async function findNewer(app: App, restore: RestoreRun, keepsNewer: boolean): Promise<Newer> {
  const family = new Set([restore.id, await rootOf(app, restore)]);
  const runs: NewerRun[] = [];
  const blocking: Later[] = [];
  const later = await readLater(app, restore);
  for (const one of later) {
    const { app: itsApp, run } = one;
    const { purpose, of = '' } = run.request;
    if (purpose === 'rollback' || !(await hasWritten(itsApp, run))) continue;
    if (itsApp === app && purpose === 'retry' && family.has(of)) family.add(run.id);
    const rollbacks = later.filter((other) => other.app === itsApp && isRollbackOf(other.run, run));
    const isUndone = rollbacks.some((rollback) => rollback.run.status === 'Succeeded');
    runs.push({
      id: run.id,
      ...pairOf(app, itsApp),
      isUndone,
      rollbacks: rollbacks.map((rollback) => rollback.run.id),
    });
    if (!isUndone && !(itsApp === app && family.has(run.id))) blocking.push(one);
  }
  const newest = blocking.at(-1);
  const kept = runs.filter(({ isUndone }) => !isUndone).map(({ id }) => id);
  const isTooMany = kept.length > MAX_NEWER;
  if (newest !== undefined && (!keepsNewer || isTooMany)) throw newerRunExists(app, restore, newest, blocking.length);
  const undone = runs.filter(({ isUndone }) => isUndone).slice(0, MAX_NEWER - kept.length);
  return {
    runs: runs.filter((one) => !one.isUndone || undone.includes(one)),
    warnings: kept.length === 0 ? [] : [`What these newer restores wrote stays: ${kept.join(', ')}.`],
  };
}

/** A run, and the app whose run it is: the hub may be the target of several pairs. */
interface Later {
  readonly app: App;
  readonly run: RestoreRun;
}

function pairOf(app: App, { primary, secondary }: Later['app']): Pick<NewerRun, 'pair'> {
  const isOwn = isSameHub(primary.ref, app.primary.ref) && isSameHub(secondary.ref, app.secondary.ref);
  return isOwn ? {} : { pair: [primary.ref, secondary.ref] };
}

/** Whether a restore may have written anything. */
export async function hasWritten(app: App, run: RestoreRun): Promise<boolean> {
  if (run.request.dryRun) return false;
  return mayHaveWritten((await readCurrentResult(app, run)).result);
}

/** The restore that this is a retry of, or a retry of a retry. */
async function rootOf(app: App, run: RestoreRun): Promise<string> {
  const { purpose, of } = run.request;
  const before = purpose === 'retry' && of !== undefined ? await readRun(app, 'restore', of) : undefined;
  return before === undefined ? run.id : rootOf(app, before);
}

/** All runs into the same hub that began later, the oldest first. Throws when one of them cannot be read: it may be one. */
async function readLater(app: App, { createdAt, hub }: RestoreRun): Promise<readonly Later[]> {
  // An id says the second in which its run began, unless the caller chose it.
  const since = Date.parse(createdAt) - CLOCK_SKEW_MS;
  const mayBeLater = (id: string): boolean => (startOfRunId(id) ?? since) >= since;
  const later: Later[] = [];
  for (const one of [app, ...(await appsOfOtherPairs(app))]) {
    const ids = (await listRunIds(one, 'restore')).filter(mayBeLater);
    // A drill's run is in a hub of its own.
    const read = (id: string) => (isDrillRunId(id) ? readHolder : readRun)(one, 'restore', id);
    for (const run of await mapConcurrent(ids, READERS, read)) {
      const isRun = typeof run === 'object';
      if (isRun && run.createdAt > createdAt && isSameHub(run.hub, hub)) later.push({ app: one, run });
    }
  }
  return later.sort((a, b) => (a.run.createdAt < b.run.createdAt ? -1 : 1));
}

function newerRunExists(app: App, restore: RestoreRun, newest: Later, count: number): DrError {
  const { id } = newest.run;
  const others = count === 1 ? '' : `, and ${count - 1} more before it`;
  const where =
    newest.app === app ? `notification-hubs-dr rollback ${id}` : `it is a run of ${describePair(newest.app)}`;
  const message = `The restore '${id}' wrote to hub ${fullNameOf(restore.hub)} after '${restore.id}'${others}. Roll that back first (${where}), or add --keep-newer, which undoes only what no newer restore wrote.`;
  return new DrError('NewerRunExists', message, { target: id });
}
