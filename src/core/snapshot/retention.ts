/** How many of the newest snapshots of each kind stay. */
export interface RetentionPolicy {
  readonly hourly: number;
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
}

export interface KeptSnapshot {
  readonly id: string;
  readonly takenAtMs: number;
  readonly health: 'good' | 'suspect';
}

const DAY_MS = 86_400_000;

/**
 * The snapshots to delete, oldest first. Of the good ones the newest of each of the last `hourly` hours, `daily` days,
 * `weekly` ISO weeks and `monthly` months that have one stay (UTC), and always the newest good one and those in
 * `protectedIds`. While the newest snapshot is suspect nothing good is deleted: its elders may be all there is.
 * A suspect one goes once a newer good one exists and a week has passed.
 */
export function snapshotsToDelete(
  snapshots: readonly KeptSnapshot[],
  policy: RetentionPolicy,
  protectedIds: ReadonlySet<string>,
  nowMs: number,
): string[] {
  const newestFirst = [...snapshots].sort((a, b) => b.takenAtMs - a.takenAtMs);
  const good = newestFirst.filter((snapshot) => snapshot.health === 'good');
  const newestGood = good[0];
  const keep = new Set(protectedIds);
  if (newestGood !== undefined) keep.add(newestGood.id);
  keepNewestPer(good, policy.hourly, hourOf, keep);
  keepNewestPer(good, policy.daily, dayOf, keep);
  keepNewestPer(good, policy.weekly, weekOf, keep);
  keepNewestPer(good, policy.monthly, monthOf, keep);
  const isNewestSuspect = newestFirst[0]?.health === 'suspect';
  return newestFirst
    .filter((snapshot) => !keep.has(snapshot.id))
    .filter((snapshot) =>
      snapshot.health === 'good'
        ? !isNewestSuspect
        : newestGood !== undefined &&
          newestGood.takenAtMs > snapshot.takenAtMs &&
          nowMs - snapshot.takenAtMs > 7 * DAY_MS,
    )
    .map((snapshot) => snapshot.id)
    .reverse();
}

/**
 * When retention will delete a snapshot at the latest, while backups succeed: the newest good one of an hour, day, week
 * or month stays as long as the policy keeps that many of these. `undefined` when it is not among them.
 */
export function keptUntil(
  id: string,
  snapshots: readonly KeptSnapshot[],
  policy: RetentionPolicy,
  intervalMs: number,
): number | undefined {
  const snapshot = snapshots.find((one) => one.id === id);
  if (snapshot === undefined) return undefined;
  const { takenAtMs } = snapshot;
  if (snapshot.health === 'suspect') return takenAtMs + 7 * DAY_MS;
  const isNewestOf = (periodOf: (atMs: number) => string | number): boolean =>
    !snapshots.some(
      (one) => one.health === 'good' && one.takenAtMs > takenAtMs && periodOf(one.takenAtMs) === periodOf(takenAtMs),
    );
  const ends = [takenAtMs];
  const addPeriods = (count: number, periodOf: (atMs: number) => number, startOf: (period: number) => number): void => {
    if (count === 0 || !isNewestOf(periodOf)) return;
    // Where backups are rarer than the periods, as many of those that have one last longer.
    ends.push(Math.max(startOf(periodOf(takenAtMs) + count), takenAtMs + count * intervalMs));
  };
  addPeriods(policy.hourly, hourOf, (hour) => hour * 3_600_000);
  addPeriods(policy.daily, dayOf, (day) => day * DAY_MS);
  addPeriods(policy.weekly, weekOf, (week) => (week * 7 - 3) * DAY_MS);
  addPeriods(policy.monthly, monthNumberOf, (month) => Date.UTC(1970, month, 1));
  return Math.max(...ends);
}

const monthNumberOf = (atMs: number): number => {
  const date = new Date(atMs);
  return (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth();
};

function keepNewestPer(
  newestFirst: readonly KeptSnapshot[],
  periods: number,
  periodOf: (atMs: number) => string | number,
  keep: Set<string>,
): void {
  const seen = new Set<string | number>();
  for (const snapshot of newestFirst) {
    const period = periodOf(snapshot.takenAtMs);
    if (seen.has(period)) continue;
    if (seen.size === periods) return;
    seen.add(period);
    keep.add(snapshot.id);
  }
}

const hourOf = (atMs: number): number => Math.floor(atMs / 3_600_000);
const dayOf = (atMs: number): number => Math.floor(atMs / DAY_MS);
/** Weeks begin on Monday; 1970-01-01 was a Thursday. */
const weekOf = (atMs: number): number => Math.floor((dayOf(atMs) + 3) / 7);
const monthOf = (atMs: number): string => new Date(atMs).toISOString().slice(0, 7);
