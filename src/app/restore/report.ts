import { viewCoverage } from '../../core/baseline/coverage.ts';
import { DrError, orFault } from '../../core/errors.ts';
import { isSameHub } from '../../core/paths.ts';
import { nextActionsOf } from '../../core/restore/next-actions.ts';
import { writtenOutcomes } from '../../core/restore/plan/outcomes.ts';
import type { ReportFacts, SnapshotFacts, TimelineEntry } from '../../core/restore/report.ts';
import { isOver, type RestoreResult, type RestoreRun } from '../../core/run/run.ts';
import { amountOf } from '../../core/snapshot/amount.ts';
import { type App, toInstant } from '../app.ts';
import { findRun } from '../runs/store.ts';
import { readMarks } from '../snapshots/marks.ts';
import { readManifest } from '../snapshots/store.ts';
import { readFailureGroups } from './failure-groups.ts';
import { findRetryOf } from './outcomes/retried.ts';
import { readCurrentResult } from './outcomes/totals.ts';
import { findActiveHub } from './view.ts';

/** Gathers what is known of a restore, also while it runs. Throws `RunNotFound`. */
export async function reportRestore(app: App, runId: string): Promise<ReportFacts> {
  const run = await findRun(app, 'restore', runId);
  const [{ result }, retriedBy, active] = await Promise.all([
    readCurrentResult(app, run),
    findRetryOf(app, run),
    findActiveHub(app),
  ]);
  const isInUse = active !== undefined && isSameHub(active, run.hub);
  const { purpose, of, note, dryRun, only, order, target } = run.request;
  const nowMs = app.world.storageNow();
  const endMs = run.finishedAt === undefined ? nowMs : Date.parse(run.finishedAt);
  const timeline = timelineOf(run, endMs);
  return {
    id: run.id,
    purpose,
    of,
    status: run.status,
    isOver: isOver(run),
    requestedBy: run.requestedBy,
    askedBy: run.askedBy,
    note,
    dryRun,
    only,
    order,
    snapshot: await readSnapshotFacts(app, run),
    target: { role: target, ...run.hub },
    createdAt: run.createdAt,
    finishedAt: run.finishedAt,
    seconds: secondsBetween(run.createdAt, endMs),
    timeline,
    result,
    recordsPerSecond: rateOf(timeline, result),
    warnings: run.warnings,
    error: run.error,
    failures: result.counts.failed === 0 ? [] : await readFailed(app, runId),
    coverage: result.activatedAt === undefined ? [] : await readCoverage(app, run),
    retriedBy,
    isInUse,
    nextActions: nextActionsOf(run, result, { retriedBy, isInUse }),
    reportedAt: toInstant(nowMs),
  };
}

async function readFailed(app: App, runId: string): Promise<ReportFacts['failures']> {
  const { value } = await readFailureGroups(app, runId);
  return value.map(({ examples: _, ...group }) => group);
}

/** Marks are kept as long as their snapshots. */
async function readCoverage(app: App, { id, hub }: RestoreRun): Promise<ReportFacts['coverage']> {
  const marks = [...(await readMarks(app, hub))].sort(([one], [other]) => (one < other ? -1 : 1));
  return marks.flatMap(([snapshotId, { coverage }]) =>
    coverage?.of === id ? [{ snapshotId, ...viewCoverage(coverage) }] : [],
  );
}

function timelineOf(run: RestoreRun, endMs: number): TimelineEntry[] {
  const phases = [...(run.history ?? []), run.phase];
  return phases.map(({ name, pass, wave, startedAt }, index) => {
    const next = phases[index + 1];
    const seconds = secondsBetween(startedAt, next === undefined ? endMs : Date.parse(next.startedAt));
    return { phase: name, pass, wave, startedAt, seconds };
  });
}

function rateOf(timeline: readonly TimelineEntry[], { counts }: RestoreResult): number | undefined {
  const writing = timeline.filter(({ phase, pass }) => phase === 'reconcile' && pass === 1);
  const seconds = writing.reduce((sum, one) => sum + one.seconds, 0);
  const settled = counts.total - counts.pending;
  // Where nothing was written it would be one of looking.
  const hasWritten = writtenOutcomes.some((name) => counts[name] > 0);
  if (seconds === 0 || !hasWritten) return undefined;
  const rate = settled / seconds;
  return rate < 10 ? Math.round(rate * 10) / 10 : Math.round(rate);
}

function secondsBetween(from: string, toMs: number): number {
  return Math.max(0, Math.round((toMs - Date.parse(from)) / 100) / 10);
}

/** A report outlives its snapshot: what can no longer be read is left out. */
async function readSnapshotFacts(app: App, { request: { snapshotId, sourceHub } }: RestoreRun): Promise<SnapshotFacts> {
  const named = { id: snapshotId, ...sourceHub };
  const manifest = await orFault(readManifest(app, sourceHub, snapshotId));
  if (manifest instanceof DrError) app.log.warn('manifest unusable', { snapshotId, code: manifest.code });
  if (manifest === undefined || manifest instanceof DrError) return named;
  const { digest, health, readStartedAt, readFinishedAt, counts } = manifest;
  return { ...named, digest, health, readStartedAt, readFinishedAt, records: counts.records, amount: amountOf(counts) };
}
