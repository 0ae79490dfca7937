import { DrError } from '../core/errors.ts';
import { isDoneFact, type OutcomeSums, sumOutcomes } from '../core/outcomes.ts';
import { resultsFolder, shardOfName } from '../core/paths.ts';
import type { BlobFacts } from '../core/ports.ts';
import type { RestoreResult, RestoreRun } from '../core/run.ts';
import type { App } from './app.ts';
import { moveOn } from './dispatch.ts';
import { endRun, failureOf } from './end-run.ts';
import { notePace, noteSeen } from './restore-notes.ts';

/** The last pass only looks: what it still misses has failed. */
export const LAST_PASS = 5;

/** Settling grows with each pass: a hub that shows writes late gets the time it seems to need. */
const SETTLE_GROWTH = 3;
const MAX_SETTLE_SECONDS = 300;

/**
 * After each finished shard: once all are, the restore goes on to look at the target again, or ends when a pass found
 * nothing left to write.
 */
export async function completeReconcile(app: App, run: RestoreRun): Promise<void> {
  const { pass } = run.phase;
  const passes = await readPasses(app, run);
  const current = passes.at(-1) ?? new Map<number, BlobFacts>();
  const doneCount = [...current.values()].filter(isDoneFact).length;
  const sums = sumOutcomes(run.recordCount, passes);
  if (sums.counts.failed > app.policy.maxFailures) throw tooManyFailures(sums.counts.failed, app.policy.maxFailures);
  if (doneCount < run.shardCount) return;
  if (pass === 1) await notePace(app, run, sums.counts);
  const written = pass === 1 ? sums.counts.created + sums.counts.updated : sumOutcomes(0, [current]).repaired;
  if (run.request.dryRun || written === 0 || pass === LAST_PASS) {
    await moveOn(app, run, { name: 'finish', pass });
    return;
  }
  const delaySeconds = Math.min(MAX_SETTLE_SECONDS, app.policy.settleSeconds * SETTLE_GROWTH ** (pass - 1));
  await moveOn(app, run, { name: 'scan', pass: pass + 1, delaySeconds });
}

/** Counts the whole restore and ends it: green only when every record is where it should be. */
export async function finishRestore(app: App, run: RestoreRun): Promise<void> {
  const result = toResult(await readSums(app, run), run);
  const { failed, pending } = result.counts;
  const isComplete = failed === 0 && pending === 0;
  await noteSeen(app, run);
  const error = new DrError(
    'RestoreIncomplete',
    `${failed} of ${result.counts.total} records could not be restored; all others are in place. ` +
      'failuresByCode says why. Mend the cause and restore again: what is in place stays unchanged.',
  );
  await endRun(app, run, isComplete ? 'Succeeded' : 'Failed', (current) =>
    current.kind === 'restore' ? { ...current, result, ...(isComplete ? {} : { error: failureOf(error) }) } : current,
  );
}

/** What a restore has come to so far, from its shards' facts: one listing a pass. */
export async function readSums(app: App, run: RestoreRun): Promise<OutcomeSums> {
  return sumOutcomes(run.recordCount, await readPasses(app, run));
}

export function toResult(sums: OutcomeSums, run: RestoreRun): RestoreResult {
  return {
    counts: sums.counts,
    duplicatesCollapsed: sums.duplicatesCollapsed,
    repaired: sums.repaired,
    changedSince: sums.changedSince,
    secondsLostToThrottling: Math.round(sums.lostMilliseconds / 100) / 10,
    failuresByCode: { ...sums.failuresByCode },
    passes: run.phase.pass,
  };
}

async function readPasses(app: App, run: RestoreRun): Promise<ReadonlyMap<number, BlobFacts>[]> {
  const passes: ReadonlyMap<number, BlobFacts>[] = [];
  for (let pass = 1; pass <= run.phase.pass; pass++) {
    const entries = await app.blobs.list(resultsFolder('restore', run.id, pass, 'reconcile'));
    passes.push(new Map(entries.map((entry) => [shardOfName(entry.name), entry.facts])));
  }
  return passes;
}

export function tooManyFailures(failed: number, most: number): DrError {
  return new DrError(
    'TooManyFailures',
    `The target refused ${failed} records, more than MAX_FAILURES (${most}). Look at failuresByCode, mend the cause, and restore again; what is written stays.`,
  );
}
