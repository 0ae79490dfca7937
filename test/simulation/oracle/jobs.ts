import type { KnownJobs } from '../jobs/job.ts';
import { isSame, type Row, tell } from '../row.ts';
import type { Facts } from './facts.ts';
import { hubOf, isRestore } from './runs.ts';
import { readSnapshot } from './snapshots.ts';

/** After a job has ended, and no run writes, the watchdog has looked for twins by then, several times. */
const LOOKED_FOR_MS = 5 * 60_000;

/** The watchdog withdraws what a late job has made, and only that: beside another row, or after a rollback. */
export function isTwinOfAJob(facts: Facts, hub: string, before: Row | undefined, after: Row | undefined): boolean {
  if (before === undefined || after !== undefined || facts.jobs?.hasMade(hub, before.id) !== true) return false;
  const runId = before.by.kind === 'tool' ? before.by.runId : '';
  const isUndone = facts.runs.all().some((one) => isRestore(one) && one.doc.request.of === runId);
  const isLeft = facts.rowsOfDevice(hub, facts.truth.deviceOf(before)).some((row) => isSame(row, before));
  if (!isUndone && !isLeft) facts.violate('withdrewTheOnlyOne', `${hub}: ${tell(before)}`);
  facts.sometimes('withdrewATwin');
  return true;
}

/** What jobs have made is there once, long after they ended. */
export function judgeJobs(facts: Facts, jobs: KnownJobs): void {
  const { all } = jobs;
  for (const { id, hub, made, endedAt = facts.now, runId } of all) {
    const run = facts.runs.get(runId);
    const ends = facts.runs.all().filter((one) => isRestore(one) && hubOf(one) === hub);
    const quietSince = Math.max(endedAt, ...ends.map((one) => one.endedAt ?? facts.now));
    if (jobs.isAway(hub) || facts.now - quietSince < LOOKED_FOR_MS || run === undefined || !isRestore(run)) continue;
    const { sourceHub, snapshotId } = run.doc.request;
    const held = readSnapshot(facts.container, sourceHub, snapshotId);
    for (const row of facts.rowsOf(hub)) {
      if (!made.has(row.id) || row.etag > 1 || row.by.kind !== 'tool') continue;
      const alike = facts.rowsOfDevice(hub, facts.truth.deviceOf(row)).filter((one) => isSame(one, row));
      const ours = alike.filter(({ by }) => by.kind === 'tool').length;
      const wanted = held.filter((one) => isSame(one, row)).length;
      if (ours > Math.max(1, wanted)) facts.violate('doubledByAJob', `${hub}: ${tell(row)} by ${id} of ${runId}`);
    }
  }
}
