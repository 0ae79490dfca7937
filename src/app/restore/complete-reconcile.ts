import { DrError } from '../../core/errors.ts';
import { heartbeatName, passOfName, phaseFolder, shardOfName } from '../../core/paths.ts';
import type { BlobFacts } from '../../core/ports.ts';
import {
  type OutcomeSums,
  type PassFacts,
  repairedIn,
  sumOutcomes,
  wavesDoneOf,
} from '../../core/restore/outcome-sums.ts';
import type { RestoreResult, RestoreRun } from '../../core/run.ts';
import type { App } from '../app.ts';
import { type Moved, moveOn } from '../runs/dispatch.ts';
import { endRun, failureOf } from '../runs/end.ts';
import { rememberOpen } from '../runs/phase-end.ts';
import { storeProof } from '../snapshots/proof.ts';
import { readManifest } from '../snapshots/store.ts';
import { notePace, noteSeen } from './notes.ts';

/** The last pass only looks: what it still misses has failed. */
export const LAST_PASS = 5;

/** Settling grows with each pass: a hub that shows writes late gets the time it seems to need. */
const SETTLE_GROWTH = 3;
const MAX_SETTLE_SECONDS = 300;

/**
 * After each finished shard: once all are, the restore goes on with the next group of its order, then looks at the
 * target again, or ends when a pass found nothing left to write.
 */
export async function completeReconcile(app: App, run: RestoreRun): Promise<Moved> {
  const { pass, wave = 0 } = run.phase;
  const { passes } = await readResults(app, run);
  const current = passes.get(pass) ?? new Map<number, BlobFacts>();
  const wavesDone = [...current.values()].map(wavesDoneOf);
  const sums = sumOutcomes(run.recordCount, passes, run.createdAt);
  if (sums.counts.failed > app.policy.maxFailures) throw tooManyFailures(sums.counts.failed, app.policy.maxFailures);
  const done = new Set([...current].flatMap(([shard, facts]) => (wavesDoneOf(facts) > wave ? [shard] : [])));
  rememberOpen(app, run, done);
  if (done.size < run.shardCount) return undefined;
  const nextWave = Math.min(...wavesDone);
  if (Number.isFinite(nextWave)) {
    return moveOn(app, run, { name: 'reconcile', pass, wave: nextWave });
  }
  if (pass === 1) await notePace(app, run, sums.counts);
  const { created, updated, removed } = sums.counts;
  const written = pass === 1 ? created + updated + removed : repairedIn(current);
  if (run.request.dryRun || written === 0 || pass === LAST_PASS) {
    return moveOn(app, run, { name: 'finish', pass });
  }
  const delaySeconds = Math.min(MAX_SETTLE_SECONDS, app.policy.settleSeconds * SETTLE_GROWTH ** (pass - 1));
  return moveOn(app, run, { name: 'scan', pass: pass + 1, delaySeconds });
}

/** Counts the whole restore and ends it: green only when every record is where it should be. */
export async function finishRestore(app: App, run: RestoreRun): Promise<void> {
  const result = toResult(await readSums(app, run), run);
  const { failed, pending } = result.counts;
  const isComplete = failed === 0 && pending === 0;
  await noteSeen(app, run);
  if (isComplete) await proveSnapshot(app, run);
  const error = incomplete(run, failed, result.counts.total);
  await endRun(app, run, isComplete ? 'Succeeded' : 'Failed', (current) =>
    current.kind === 'restore' ? { ...current, result, ...(isComplete ? {} : { error: failureOf(error) }) } : current,
  );
}

/** Every record of the snapshot was found in the target: it can be restored, because it was. */
async function proveSnapshot(app: App, run: RestoreRun): Promise<void> {
  const { purpose, dryRun, only, sourceHub, snapshotId } = run.request;
  if (dryRun || only !== undefined || (purpose !== 'restore' && purpose !== 'drill')) return;
  const manifest = await readManifest(app, sourceHub, snapshotId);
  if (manifest !== undefined) await storeProof(app, manifest, { how: purpose, runId: run.id, isSound: true });
}

function incomplete(run: RestoreRun, failed: number, total: number): DrError {
  const message =
    run.request.purpose === 'rollback'
      ? `${failed} of ${total} records could not be removed; all others are as before the restore. ` +
        `failuresByCode says why. Roll back ${run.request.of} again: what is gone stays so.`
      : `${failed} of ${total} records could not be restored; all others are in place. failuresByCode says why. ` +
        `Mend the cause, then retry the failures: POST /api/restores/${run.id}/retry.`;
  return new DrError('RestoreIncomplete', message);
}

/** What a restore has come to so far, from its shards' facts: one listing, however many passes there were. */
export async function readSums(app: App, run: RestoreRun): Promise<OutcomeSums> {
  return (await readProgress(app, run)).sums;
}

/** The same, and its last heartbeat, which the same listing gives. */
export async function readProgress(app: App, run: RestoreRun) {
  const { passes, beatAt } = await readResults(app, run);
  return { sums: sumOutcomes(run.recordCount, passes, run.createdAt), beatAt };
}

export function toResult(sums: OutcomeSums, run: RestoreRun): RestoreResult {
  return {
    counts: sums.counts,
    byPlatform: { ...sums.byPlatform },
    milestones: run.request.dryRun ? {} : sums.milestones,
    duplicatesCollapsed: sums.duplicatesCollapsed,
    repaired: sums.repaired,
    changedSince: sums.changedSince,
    secondsLostToThrottling: Math.round(sums.lostMilliseconds / 100) / 10,
    failuresByCode: { ...sums.failuresByCode },
    passes: run.phase.pass,
  };
}

interface Results {
  readonly passes: PassFacts;
  readonly beatAt: string | undefined;
}

async function readResults(app: App, run: RestoreRun): Promise<Results> {
  const passes = new Map<number, Map<number, BlobFacts>>();
  let beatAt: string | undefined;
  const heartbeat = heartbeatName('restore', run.id);
  for (const { name, facts } of await app.blobs.list(phaseFolder('restore', run.id, 'reconcile'))) {
    if (name === heartbeat) beatAt = facts['at'];
    const number = passOfName(name);
    if (number < 1) continue;
    const pass = passes.get(number) ?? new Map<number, BlobFacts>();
    passes.set(number, pass.set(shardOfName(name), facts));
  }
  return { passes, beatAt };
}

export function tooManyFailures(failed: number, most: number): DrError {
  return new DrError(
    'TooManyFailures',
    `The target refused ${failed} records, more than MAX_FAILURES (${most}). Look at failuresByCode, mend the cause, and restore again; what is written stays.`,
  );
}
