import type { Row } from '../row.ts';
import type { Facts } from './facts.ts';
import { hubOf, type KnownRestore, keyOf, lookedAt } from './runs.ts';
import type { Wanted } from './snapshots.ts';

export function isWritten({ written }: Pick<KnownRestore, 'written'>, rows: Wanted['rows']): boolean {
  return rows.some(({ id, installationId = '' }) => written.has(id) || written.has(installationId));
}

/**
 * What its device, or the service, did since the run's look, no run can know. Only what it wrote does it look at more
 * than once.
 */
export function isExcused(facts: Facts, run: KnownRestore, device: number, rows: Wanted['rows'] = []): boolean {
  const hub = hubOf(run);
  const since = isWritten(run, rows) ? lookedAt(run) : (run.firstListedAt ?? 0);
  const isWaiting = facts.hub(hub)?.waiting.includes(`device-${device}`) === true;
  const isLate = facts.hadLateWrite(hub, device, run, since) || facts.removedLateSince(hub, device, since);
  return device < 0 || isWaiting || isLate || facts.changedSince(hub, device, since);
}

/** What its first listing passed over the run does not withdraw: the next one does. */
export function isShownAtFirst(run: KnownRestore, row: Row): boolean {
  const hub = hubOf(run);
  const end = run.listedAt.get(`${hub}#2`) ?? Number.POSITIVE_INFINITY;
  return run.shownByListingAt.get(`${hub}/${keyOf(row)}`)?.some((at) => at < end) === true;
}
