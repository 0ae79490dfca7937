import { passOfName, phaseFolder, shardOfName } from '../../../core/paths.ts';
import type { BlobFacts } from '../../../core/ports.ts';
import { type Pace, paceOf } from '../../../core/restore/pace.ts';
import { sumOutcomes, type Totals } from '../../../core/restore/totals.ts';
import type { RestoreResult, RestoreRun } from '../../../core/run/run.ts';
import { type App, toInstant } from '../../app.ts';
import { liveIn, type Signs, signsOf } from '../../runs/living-steps.ts';

/** What a restore has come to so far, from its shards' facts: one listing, however many passes there were. */
export async function readTotals(app: App, run: RestoreRun): Promise<Totals> {
  return sumOutcomes(run.recordCount, (await readResults(app, run)).passes, run.createdAt);
}

/**
 * The result as of now, and when a step last showed that it lives, which the same listing gives. One that ended while shards were being
 * written may be ahead of what its document says, until the last step has stored that it stopped.
 */
export async function readCurrentResult(app: App, run: RestoreRun): Promise<Current> {
  const endedInOrder = run.status === 'Succeeded' || run.phase.name !== 'reconcile';
  if (run.result !== undefined && endedInOrder) return { result: run.result, signs: {} };
  const { passes, ...moment } = await readResults(app, run);
  if (run.result !== undefined && passes.size === 0) return { result: run.result, ...moment };
  const pace = paceOf([...(passes.get(1)?.values() ?? [])]);
  return { result: toResult(sumOutcomes(run.recordCount, passes, run.createdAt), run), pace, ...moment };
}

/** A restore as it is now. */
interface Current {
  readonly result: RestoreResult;
  readonly signs: Signs;
  /** Of its first writing. */
  readonly pace?: Pace | undefined;
  /** When a shard last saved what became of its records. */
  readonly savedAt?: string | undefined;
}

/** The result of one that ends before its finish. */
export async function sumRestore(app: App, run: RestoreRun): Promise<RestoreResult> {
  return toResult(await readTotals(app, run), run);
}

export function toResult(totals: Totals, run: RestoreRun): RestoreResult {
  return {
    counts: totals.counts,
    byPlatform: { ...totals.byPlatform },
    milestones: run.request.dryRun ? {} : totals.milestones,
    duplicatesCollapsed: totals.duplicatesCollapsed,
    repaired: totals.repaired,
    takenBack: totals.takenBack,
    changedSince: totals.changedSince,
    raced: totals.raced,
    removedByService: totals.removedByService,
    attempted: totals.attempted,
    absenceVoid: totals.absenceVoid,
    superseded: totals.superseded,
    partialInstallations: totals.partialInstallations,
    secondsLostToThrottling: Math.round(totals.lostMilliseconds / 100) / 10,
    failuresByCode: { ...totals.failuresByCode },
    passes: run.phase.pass,
  };
}

/** The facts of each shard in each pass, and when a step last showed that it lives: one listing. */
export async function readResults(app: App, run: RestoreRun) {
  const passes = new Map<number, Map<number, BlobFacts>>();
  const entries = await app.blobs.list(phaseFolder('restore', run.id, 'reconcile'));
  for (const { name, facts } of entries) {
    const number = passOfName(name);
    if (number < 1) continue;
    const pass = passes.get(number) ?? new Map<number, BlobFacts>();
    passes.set(number, pass.set(shardOfName(name), facts));
  }
  const results = entries.filter(({ name }) => passOfName(name) >= 1);
  const savedMs = results.reduce((latest, { modifiedAt }) => Math.max(latest, modifiedAt.getTime()), 0);
  const savedAt = savedMs === 0 ? undefined : toInstant(savedMs);
  const savedMsAgo = Math.min(...results.map(({ ageMs }) => ageMs));
  return { passes, savedAt, signs: signsOf(app, liveIn(entries, run), savedMsAgo) };
}
