import { DrError } from '../../core/errors.ts';
import { exportName, fullNameOf } from '../../core/paths.ts';
import type { CallOptions } from '../../core/ports.ts';
import type { BackupRun } from '../../core/run/run.ts';
import {
  AUTO_EXPORT_FROM,
  EXPORT_GRANT_MS,
  type ExportState,
  exportContainer,
  nextLookMs,
  whyGivenUp,
  whyNotWhole,
} from '../../core/snapshot/export-job.ts';
import { type App, type HeldStep, hubOf, orWarn, toInstant } from '../app.ts';
import { forgetListing, type RowSource, scan } from '../listing/scan.ts';
import { Deferral } from '../runs/deferral.ts';
import type { Moved } from '../runs/dispatch.ts';
import { changeRun, Superseded } from '../runs/store.ts';
import { readLatest } from '../snapshots/latest.ts';
import { readManifest } from '../snapshots/store.ts';
import { documents } from '../stored/documents.ts';
import { ExportRows, ExportUnfit } from './export-rows.ts';

/**
 * Lists a backup's rows: from an export job where the settings want that, and from the hub where they do not, or where
 * the job comes to nothing; the run then says why.
 */
export async function scanBackup(app: App, run: BackupRun, held: HeldStep): Promise<Moved | 'continue'> {
  const job = await openJob(app, run);
  if (job === undefined) return scan(app, run, held);
  const source = await sourceOf(job, held);
  try {
    const end = await scan(app, run, held, source);
    if (end !== 'continue') await removeFiles(job);
    return end;
  } catch (error) {
    if (!(error instanceof ExportUnfit)) throw error;
    await forgetListing(app, run);
    await giveUp(job, `The export cannot be used: ${error.message}.`);
    return scan(app, run, held);
  }
}

interface Job {
  readonly app: App;
  readonly exports: NonNullable<App['exports']>;
  readonly run: BackupRun;
  /** How many registrations the hub's last good snapshot has. */
  readonly usual: number | undefined;
  state: ExportState;
  /** Absent before it is stored. */
  etag: string | undefined;
}

/** `undefined` where the rows are to come from the hub. */
async function openJob(app: App, run: BackupRun): Promise<Job | undefined> {
  const { exports, policy } = app;
  if (exports === undefined || policy.backupSource === 'list') return undefined;
  const stored = await documents.export.find(app, exportName(run.kind, run.id, run.phase.pass));
  if (stored?.value.state === 'givenUp') return undefined;
  const usual = await usualCount(app, run);
  if (stored === undefined && policy.backupSource === 'auto' && (usual ?? 0) < AUTO_EXPORT_FROM) return undefined;
  const now = toInstant(app.world.storageNow());
  const container = exportContainer(run.id);
  const state = stored?.value ?? { state: 'asked', container, askedAt: now, movedAt: now };
  return { app, exports, run, usual, state, etag: stored?.etag };
}

async function usualCount(app: App, { hub }: BackupRun): Promise<number | undefined> {
  return orWarn(app, 'last snapshot unusable', {}, async () => {
    const { snapshotId } = await readLatest(app, hub, 'mayBeMissing');
    return snapshotId === undefined ? undefined : (await readManifest(app, hub, snapshotId))?.counts.registrations;
  });
}

/** One step on: the job is submitted, looked at, or its file read. While it runs the step is deferred. */
async function sourceOf(job: Job, held: HeldStep): Promise<RowSource> {
  const { app, run } = job;
  try {
    if (job.state.state !== 'written')
      await moveJob(job, { deadlineAt: Math.min(held.deadlineAt, app.world.now() + CALL_MS) });
  } catch (error) {
    if (!(error instanceof DrError)) throw error;
    const nowMs = app.world.storageNow();
    const why = error.retryable ? whyGivenUp(job.state, nowMs, patienceOf(app)) : error.message;
    if (why === undefined) throw waiting(job, error.code, `the hub's jobs do not answer`);
    await giveUp(job, `The export was given up: ${error.message}`);
  }
  const { file, container, askedAt, state } = job.state;
  if (state === 'givenUp' || file === undefined) return { rows: hubOf(app, run.hub) };
  const rows = new ExportRows(run.hub, file.sizeBytes, (range) => job.exports.files.read(container, file.name, range));
  const requireWhole: RowSource['requireWhole'] = (counts) => {
    const why = whyNotWhole(counts, job.usual, app.policy.suspectDropPercent);
    if (why !== undefined) throw new ExportUnfit(why);
  };
  return { rows, readAt: askedAt, requireWhole };
}

/** The whole of one look at a job: what waits longer is asked again with the next step. */
const CALL_MS = 30_000;
const PATIENCE_MS = 15 * 60_000;

function patienceOf({ policy }: App): number {
  return policy.exportPatienceMs ?? PATIENCE_MS;
}

async function moveJob(job: Job, call: CallOptions): Promise<void> {
  const { app, exports, run } = job;
  const jobs = exports.jobsOf(run.hub);
  // Before it is submitted: a step that dies right after is followed by one that finds the job.
  const isNew = job.etag === undefined;
  if (isNew) await save(job, {});
  if (job.state.jobId === undefined) await submit(job, isNew, call);
  const { jobId = '', progress = 0 } = job.state;
  const look = await jobs.look(jobId, call);
  if (look.status === 'Failed') return giveUp(job, 'The export was given up: its job failed.');
  if (look.status === 'Completed') {
    const file = await exports.files.find(job.state.container, 'Output.txt', look.outputName);
    if (file === undefined) return giveUp(job, 'The export was given up: its job is done, and has left no file.');
    await save(job, { state: 'written', file });
    await changeRun(app, run.kind, run.id, (current) => ({ ...current, isExport: true }));
    return;
  }
  const nowMs = app.world.storageNow();
  if (look.progress > progress) await save(job, { progress: look.progress, movedAt: toInstant(nowMs) });
  const why = whyGivenUp(job.state, nowMs, patienceOf(app));
  if (why !== undefined) return giveUp(job, `The export was given up: ${why}.`);
  throw waiting(job, 'ExportRunning', `its export job is at ${job.state.progress ?? 0} %`);
}

/** A job that was submitted by a step which died, or whose answer was lost, is found by its container. */
async function submit(job: Job, isNew: boolean, call: CallOptions): Promise<void> {
  const { exports, run, state } = job;
  const jobs = exports.jobsOf(run.hub);
  const found = isNew ? undefined : await jobs.find(state.container, call);
  const url = found === undefined ? await exports.files.open(state.container, EXPORT_GRANT_MS) : '';
  await save(job, { state: 'submitted', jobId: found ?? (await jobs.submit(url, call)) });
}

function waiting({ app, run, state }: Job, code: string, cause: string): Deferral {
  const on = fullNameOf(run.hub);
  return new Deferral(nextLookMs(state, app.world.storageNow()), { on, code, cause });
}

async function giveUp(job: Job, reason: string): Promise<void> {
  const { app, run } = job;
  app.log.warn('export given up, the hub is listed', { runId: run.id, reason });
  await save(job, { state: 'givenUp', reason });
  const warning = `${reason} The hub was listed instead.`;
  await changeRun(app, run.kind, run.id, ({ isExport, ...current }) =>
    isExport === undefined && current.warnings.includes(warning)
      ? undefined
      : { ...current, warnings: [...current.warnings.filter((one) => one !== warning), warning] },
  );
  await removeFiles(job);
}

async function save(job: Job, changes: Partial<ExportState>): Promise<void> {
  const { app, run } = job;
  const state = { ...job.state, ...changes };
  const name = exportName(run.kind, run.id, run.phase.pass);
  const etag = await documents.export.write(app, name, state, { etag: job.etag });
  if (etag === 'conflict') throw new Superseded('another step went on with this export');
  job.state = state;
  job.etag = etag;
}

/** What is left is removed with the old snapshots. */
async function removeFiles({ app, exports, state: { container } }: Job): Promise<void> {
  await orWarn(app, 'export not removed', { container }, () => exports.files.remove(container));
}
