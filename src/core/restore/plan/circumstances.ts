import type { Times } from '../../baseline/agree.ts';
import { isSameHub } from '../../paths.ts';
import { LEAST_DELETES, mostDeletes } from '../../run/amounts.ts';
import type { RestoreRun } from '../../run/run.ts';
import type { Circumstances } from './decision-table.ts';
import { rolesOf } from './terms.ts';

/** A restore into the hub its snapshot was taken from: what is missing is created, what differs stays. */
export function isRepairInPlace({ hub, request: { sourceHub } }: RestoreRun): boolean {
  return isSameHub(hub, sourceHub);
}

/** Whether the run is about everything: only then does it say what is no longer there. */
export function isWhole({ request: { purpose, only } }: RestoreRun): boolean {
  return only === undefined && purpose !== 'rollback';
}

/** When the snapshot was read, in epoch milliseconds. A run of an older version does not know: then before everything. */
export function readAtOf({ source }: RestoreRun): number {
  return source === undefined ? 0 : Date.parse(source.readAt);
}

/** When the snapshot was read, and when the listing that the run's present pass goes by had ended. */
export function timesOf(run: RestoreRun): Times {
  const compared = lastComparison(run) ?? run.phase;
  return {
    readAt: readAtOf(run),
    lookAt: Date.parse(compared.startedAt),
    isUndone: run.source?.isUndone === true,
    wasTargetInUse: circumstancesOf(run).wasTargetInUse,
  };
}

function lastComparison({ history = [], phase }: RestoreRun) {
  return [...history, phase].findLast(({ name }) => name === 'seal');
}

/** The run in the pass whose listing of the target the present one goes by. */
export function asListed(run: RestoreRun): RestoreRun {
  const pass = lastComparison(run)?.pass ?? run.phase.pass;
  return { ...run, phase: { ...run.phase, pass } };
}

/** Whether the present pass lists nothing: it asks the target for each record that the run wrote. */
export function isAsking(run: RestoreRun): boolean {
  return asListed(run).phase.pass < run.phase.pass;
}

/** Of the records, and never fewer than `LEAST_ASKED`. */
const MOST_ASKED_PERCENT = 2;
const LEAST_ASKED = 20;

/** A sync that wrote few records asks for these instead of listing the whole standby again. */
export function mayAsk({ recordCount, request }: RestoreRun, written: number): boolean {
  const most = Math.max(LEAST_ASKED, Math.floor((recordCount * MOST_ASKED_PERCENT) / 100));
  return request.purpose === 'sync' && written <= most;
}

/** Whether the run says anything of what the pair agrees on. */
export function movesBaseline({ source, request: { dryRun, purpose } }: RestoreRun): boolean {
  return source !== undefined && !dryRun && purpose !== 'rollback';
}

/** What decides beside a record's three states. */
export function circumstancesOf(run: RestoreRun): Circumstances {
  const { source, recordCount, hub, request } = run;
  const { sourceHub } = request;
  const terms = run.found?.terms ?? run.terms ?? [{ hub: sourceHub, since: BEGINNING }];
  return {
    ...rolesOf(terms, sourceHub, hub),
    purpose: purposeOf(request),
    isResurrecting: request.resurrect === true,
    isFromBefore: false,
    isGoneSince: false,
    isAbsenceProven: true,
    sourceEmptyAt:
      source === undefined || source.isSuspect || source.isUndone || recordCount === 0 || isRepairInPlace(run)
        ? Number.POSITIVE_INFINITY
        : source.emptyAt === undefined
          ? Number.NEGATIVE_INFINITY
          : Date.parse(source.emptyAt),
    exceeded: { deletes: request.leftovers === 'keep', absences: false, drift: false },
  };
}

function purposeOf({ isFailback, purpose }: RestoreRun['request']): Circumstances['purpose'] {
  if (isFailback === true) return 'failback';
  return purpose === 'sync' ? 'sync' : 'restore';
}

/** Runs of older versions do not know since when their source is in use. */
const BEGINNING = new Date(0).toISOString();

/** A bound is over the whole plan, before the first write: exceeded, nothing of its kind happens at all. */
export function isWithinBounds(
  { found, recordCount }: RestoreRun,
  what: 'doomed' | 'goneSince' | 'absent',
  maxDeletePercent: number,
): boolean {
  const plan = found?.plan;
  if (plan === undefined) return false;
  // Where more is missing than there is, it was emptied, and not by its devices.
  if (what === 'absent' && plan.absent > plan.records) return false;
  const all = what === 'doomed' ? plan.records : recordCount;
  return plan[what] <= mostDeletes(all, maxDeletePercent);
}

/** Whether more was missing at the run's first look than devices would have removed. */
export function isAbsenceVoid(run: RestoreRun, maxDeletePercent: number): boolean {
  return run.found?.plan !== undefined && !isWithinBounds(run, 'absent', maxDeletePercent);
}

/**
 * Whether a failback's source may win where both hubs differ. Where more differ than a few, both hubs were alive, and
 * the run only adds.
 */
export function isWithinDrift({ found, recordCount }: RestoreRun, standbyDriftPercent: number): boolean {
  return (found?.plan?.drifted ?? 0) <= mostDeletes(recordCount, standbyDriftPercent);
}

/**
 * Whether more records are in other words under the version agreed on than devices would have done: the service writes
 * them in another form. Then versions alone tell what is untouched.
 */
export function isAnotherForm(reworded: number, agreed: number): boolean {
  return reworded > LEAST_DELETES && reworded * 2 > agreed;
}
