import { DrError } from '../../../core/errors.ts';
import type { BlobFacts } from '../../../core/ports.ts';
import { isAsking, mayAsk } from '../../../core/restore/plan/circumstances.ts';
import { allShowsAt } from '../../../core/restore/plan/too-early.ts';
import { type PassFacts, repairedIn, sumOutcomes, unconfirmedIn, wavesDoneOf } from '../../../core/restore/totals.ts';
import { isNearlyAllRefused, wrote } from '../../../core/run/amounts.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import { counted, grouped } from '../../../core/words.ts';
import type { App } from '../../app.ts';
import { type Moved, moveOn } from '../../runs/dispatch.ts';
import { rememberOpen } from '../../runs/shard-phase.ts';
import { notePace } from '../outcomes/card-facts.ts';
import { readResults } from '../outcomes/totals.ts';

/** From this pass on a restore only looks: what it still misses has failed. */
export const LOOKING_FROM = 5;
/** What only the first look of these shows may need one more. */
export const LAST_PASS = LOOKING_FROM + 1;

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
  const { failed, removed, putBack } = totals.counts;
  const written = wrote(totals.counts) + removed + putBack;
  refuseNearlyAll(app, failed, failed + written);
  const done = new Set([...current].flatMap(([shard, facts]) => (wavesDoneOf(facts) > wave ? [shard] : [])));
  rememberOpen(app, run, done);
  if (done.size < run.shardCount) return undefined;
  const nextWave = Math.min(...wavesDone);
  if (Number.isFinite(nextWave)) {
    return moveOn(app, run, { name: 'reconcile', pass, wave: nextWave });
  }
  if (pass === 1) await notePace(app, run, totals.counts, [...current.values()]);
  const toLookAt = pass === 1 ? written : repairedIn(current);
  // Of what was written again two looks have to agree: without, a rollback would not know it from a device's own.
  if (run.request.dryRun || toLookAt + unconfirmedIn(current) === 0 || pass === LAST_PASS) {
    return moveOn(app, run, { name: 'finish', pass });
  }
  // What the first pass wrote, or a later one asked for.
  const asks = pass === 1 ? mayAsk(run, toLookAt) : isAsking(run);
  const delaySeconds = settleSecondsOf(app, run, passes);
  return moveOn(app, run, { name: asks ? 'reconcile' : 'scan', pass: pass + 1, delaySeconds });
}

/** A pass that only confirms what the one before has seen needs no longer than that. */
function settleSecondsOf({ policy, world }: App, run: RestoreRun, passes: PassFacts): number {
  const repairs = [...passes].filter(([pass, facts]) => pass > 1 && repairedIn(facts) > 0).length;
  const seconds = Math.min(MAX_SETTLE_SECONDS, policy.settleSeconds * SETTLE_GROWTH ** repairs);
  if (unconfirmedIn(passes.get(run.phase.pass), 'too_early') === 0) return seconds;
  return Math.max(seconds, Math.ceil((allShowsAt(run) - world.storageNow()) / 1000));
}

/** Throws `TooManyFailures` when nearly all that was tried was refused. */
export function refuseNearlyAll({ policy }: App, failed: number, tried: number): void {
  const { maxFailurePercent } = policy;
  if (!isNearlyAllRefused(failed, tried, maxFailurePercent)) return;
  const message = `The target refused ${grouped(failed)} of the ${counted(tried, 'record')} that were tried, more than MAX_FAILURE_PERCENT (${maxFailurePercent}). What is written stays. See why, and on which platforms: fix the cause and retry, or restore the other platforms alone (--only-platforms).`;
  throw new DrError('TooManyFailures', message);
}
