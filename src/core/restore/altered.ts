import { hash53 } from '../bytes/hash.ts';
import { lookUpIn } from '../bytes/search.ts';
import { versionHashFrom, versionHashOf } from '../fingerprint/row.ts';
import { isSameRegistration } from '../registration/distinct.ts';
import { isInstallation, type RecordOfRows } from '../registration/record.ts';
import type { Registration } from '../registration/registration.ts';
import { wrote } from '../run/amounts.ts';
import type { RestoreRun } from '../run/run.ts';
import type { Totals } from './totals.ts';

/**
 * Whether only this run can have written what lives there: every row has been written at most once since the look
 * that showed the versions `before`. A row that was not there then has its first ETag; one made again by its device
 * within seconds would come with another handle.
 */
export function isOnlyOurs(record: RecordOfRows, live: RecordOfRows, before: readonly number[]): boolean {
  const handles = new Set(record.rows.map(({ handle }) => handle));
  const wasThere = lookUpIn(before);
  return live.rows.every(({ id, etag, handle }) => {
    const isNextOf = [etag, etag - 1].some((one) => wasThere(versionHashFrom(hash53(id), one)));
    return handles.has(handle) && (etag === 1 || isNextOf);
  });
}

/**
 * An installation without rows that a hub has not removed yet: it gives a template with another body a row of its own, and
 * removes the former one, which is as it was `before`, some seconds later.
 */
export function withoutReplaced(live: RecordOfRows, before: readonly number[]): RecordOfRows {
  if (!isInstallation(live)) return live;
  const isAsBefore = (row: Registration): boolean => before.includes(versionHashOf(row));
  const newer = live.rows.filter((row) => !isAsBefore(row));
  const rows = live.rows.filter((row) => !isAsBefore(row) || !newer.some((one) => isSameRegistration(one, row)));
  return rows.length === live.rows.length ? live : { key: live.key, rows };
}

/** Fewer than this may have been changed by their devices within seconds. */
const LEAST_CHANGED = 3;

/** Most of what was written comes back different: no device did that. In a scratch hub there are no devices at all. */
function isAltering({ request: { purpose } }: RestoreRun, { counts, changedSince }: Totals): boolean {
  if (purpose === 'drill') return changedSince > 0;
  return purpose !== 'rollback' && changedSince >= LEAST_CHANGED && changedSince * 2 > wrote(counts);
}

/** How many of the records just written the target has stored otherwise than they were sent. */
export function alteredIn(run: RestoreRun, totals: Totals): number {
  return isAltering(run, totals) ? totals.changedSince : totals.altered;
}

/** No push service calls most devices gone. */
export function losesMost({ counts, removedByService }: Totals): boolean {
  return removedByService >= LEAST_CHANGED && removedByService > wrote(counts);
}
