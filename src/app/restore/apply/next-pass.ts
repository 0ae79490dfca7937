import { DrError } from '../../../core/errors.ts';
import type { BlobFacts } from '../../../core/ports.ts';
import { repairedIn, sumOutcomes, wavesDoneOf } from '../../../core/restore/totals.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { type Moved, moveOn } from '../../runs/dispatch.ts';
import { rememberOpen } from '../../runs/shard-phase.ts';
import { notePace } from '../outcomes/notes.ts';
import { readResults } from '../outcomes/totals.ts';

/** The last pass only looks: what it still misses has failed. */
export const LAST_PASS = 5;

/** Settling grows with each pass: a hub that shows writes late gets the time it seems to need. */
const SETTLE_GROWTH = 3;
const MAX_SETTLE_SECONDS = 300;

/**
 * After each finished shard: once all are, the restore continues with the next group of its order, then looks at the
 * target again, or ends when a pass found nothing left to write.
 */
export async function moveToNextPass(app: App, run: RestoreRun): Promise<Moved> {
  const { pass, wave = 0 } = run.phase;
  const { passes } = await readResults(app, run);
  const current = passes.get(pass) ?? new Map<number, BlobFacts>();
  const wavesDone = [...current.values()].map(wavesDoneOf);
  const totals = sumOutcomes(run.recordCount, passes, run.createdAt);
  if (totals.counts.failed > app.policy.maxFailures)
    throw tooManyFailures(totals.counts.failed, app.policy.maxFailures);
  const done = new Set([...current].flatMap(([shard, facts]) => (wavesDoneOf(facts) > wave ? [shard] : [])));
  rememberOpen(app, run, done);
  if (done.size < run.shardCount) return undefined;
  const nextWave = Math.min(...wavesDone);
  if (Number.isFinite(nextWave)) {
    return moveOn(app, run, { name: 'reconcile', pass, wave: nextWave });
  }
  if (pass === 1) await notePace(app, run, totals.counts);
  const { created, updated, removed } = totals.counts;
  const written = pass === 1 ? created + updated + removed : repairedIn(current);
  if (run.request.dryRun || written === 0 || pass === LAST_PASS) {
    return moveOn(app, run, { name: 'finish', pass });
  }
  const delaySeconds = Math.min(MAX_SETTLE_SECONDS, app.policy.settleSeconds * SETTLE_GROWTH ** (pass - 1));
  return moveOn(app, run, { name: 'scan', pass: pass + 1, delaySeconds });
}

export function tooManyFailures(failed: number, most: number): DrError {
  const message = `The target refused ${failed} records, more than MAX_FAILURES (${most}). Look at failuresByCode, fix the cause, and restore again; what is written stays.`;
  return new DrError('TooManyFailures', message);
}
