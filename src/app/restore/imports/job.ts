import { DrError } from '../../../core/errors.ts';
import { fullNameOf, importName } from '../../../core/paths.ts';
import type { CallOptions, JobLook } from '../../../core/ports.ts';
import { type ImportResult, REFUSED, readImportResult, withoutId } from '../../../core/restore/import-file.ts';
import { countImport, IMPORT_FILE, type ImportState, importContainer } from '../../../core/restore/import-job.ts';
import { isOver, type RestoreRun } from '../../../core/run/run.ts';
import { EXPORT_GRANT_MS, nextLookMs, whyGivenUp } from '../../../core/snapshot/export-job.ts';
import { type App, type BulkJobs, orWarn, toInstant } from '../../app.ts';
import { Deferral } from '../../runs/deferral.ts';
import { changeRun, readRun, Superseded } from '../../runs/store.ts';
import { documents } from '../../stored/documents.ts';
import { countUnderWay } from './store.ts';

/** The import job of one shard of a restore. */
export interface ImportJob {
  readonly app: App;
  readonly imports: BulkJobs;
  readonly run: RestoreRun;
  readonly shard: number;
  readonly wave: number;
  state: ImportState;
  /** Absent before it is stored. */
  etag: string | undefined;
}

/** The whole of one look: what waits longer is asked again with the next step. */
const CALL_MS = 30_000;
const PATIENCE_MS = 15 * 60_000;
/** How many others a hub is known to take at once is not documented. */
const JOBS_AT_ONCE = 8;
/** A job whose submission was not answered shows in the hub's list by then, if it was taken. */
const UNSEEN_MS = 120_000;

export function importPatienceOf({ policy }: App): number {
  return policy.importPatienceMs ?? PATIENCE_MS;
}

/** `undefined` where the shard has none. */
export async function openImport(
  app: App,
  run: RestoreRun,
  shard: number,
  wave: number,
): Promise<ImportJob | undefined> {
  const { imports } = app;
  if (imports === undefined) return undefined;
  const stored = await documents.import.find(app, importName(run.id, shard, wave));
  return stored && { app, imports, run, shard, wave, state: stored.value, etag: stored.etag };
}

/** One step on, as its restore goes: while the job may yet do its work, the step is deferred. */
export async function moveImport(job: ImportJob, deadlineAt: number): Promise<void> {
  const { world } = job.app;
  if (job.state.state === 'ended' || job.state.state === 'overdue') return;
  try {
    await move(job, { deadlineAt: Math.min(deadlineAt, world.now() + CALL_MS) });
  } catch (error) {
    if (!(error instanceof DrError)) throw error;
    await afterFault(job, error);
  }
}

async function move(job: ImportJob, call: CallOptions): Promise<void> {
  const { app, state } = job;
  if (state.state === 'asked') await submit(job, call);
  const look = await lookAt(job, call);
  if (look !== undefined && isDone(look)) return end(job, look);
  const nowMs = app.world.storageNow();
  const { submittedAt = state.askedAt, progress = 0 } = job.state;
  if (look === undefined) {
    if (nowMs - Date.parse(submittedAt) < UNSEEN_MS) throw waiting(job, 'ImportRunning', NOT_LISTED);
    await revoke(job, 'its hub has not said whether it took it');
    return save(job, { state: 'overdue' });
  }
  // Its files are gone, and it has been looked at since.
  if (job.state.state === 'revoked') return save(job, { state: 'overdue' });
  if (look.progress > progress) await save(job, { progress: look.progress, movedAt: toInstant(nowMs) });
  const why = whyGivenUp({ ...job.state, askedAt: submittedAt }, nowMs, importPatienceOf(app));
  if (why !== undefined) await revoke(job, why);
  throw waiting(job, 'ImportRunning', `its import job is at ${job.state.progress ?? 0} %`);
}

const NOT_LISTED = 'its import job is not listed yet';

/** What a service says that is away, or for good. */
async function afterFault(job: ImportJob, error: DrError): Promise<void> {
  const { app, state } = job;
  const { state: stage, submittedAt = state.askedAt, revokedAt } = job.state;
  const nowMs = app.world.storageNow();
  const isTaken = job.state.jobId !== undefined || (stage === 'submitted' && error.code === 'HubMisbehaves');
  if (stage === 'asked' || !(isTaken || error.retryable)) {
    const isLate = nowMs - Date.parse(state.askedAt) >= importPatienceOf(app);
    if (error.retryable && !isLate) throw waiting(job, error.code, AWAY);
    return endWithout(job, `No import job was to be had: ${error.message}`);
  }
  if (revokedAt !== undefined) {
    const isLate = nowMs - Date.parse(revokedAt) >= importPatienceOf(app);
    if (error.retryable && !isLate) throw waiting(job, error.code, AWAY);
    return save(job, { state: 'overdue' });
  }
  const why = error.retryable
    ? whyGivenUp({ ...job.state, askedAt: submittedAt }, nowMs, importPatienceOf(app))
    : error.message.replace(/\.$/, '');
  if (why !== undefined) await revoke(job, why);
  throw waiting(job, error.code, AWAY);
}

const AWAY = "the hub's jobs do not answer";

/** Hands it over, unless its run is over, or jobs have come to nothing meanwhile. */
async function submit(job: ImportJob, call: CallOptions): Promise<void> {
  const { app, imports, run, state } = job;
  const current = await readRun(app, 'restore', run.id);
  if (current === undefined || isOver(current)) throw new Superseded('the run is over');
  if (current.imports?.isOff) return endWithout(job, undefined);
  if ((await countUnderWay(app, run.id)) >= JOBS_AT_ONCE)
    throw waiting(job, 'ImportRunning', 'other import jobs are under way');
  const url = await imports.files.open(state.container, EXPORT_GRANT_MS);
  const fileUrl = await imports.files.address(state.container, IMPORT_FILE, EXPORT_GRANT_MS);
  const at = toInstant(app.world.storageNow());
  await save(job, { state: 'submitted', submittedAt: at, movedAt: at });
  try {
    const jobId = await imports.jobsOf(run.hub).submit(url, call, fileUrl);
    await save(job, { jobId });
  } catch (error) {
    // It has not taken it, and will later.
    if (error instanceof DrError && error.seen === 'status 429') await save(job, { state: 'asked' });
    throw error;
  }
}

/** `undefined` where the hub shows no such job. */
export async function lookAt(job: ImportJob, call: CallOptions): Promise<JobLook | undefined> {
  const { imports, run } = job;
  const jobs = imports.jobsOf(run.hub);
  if (job.state.jobId === undefined) {
    const jobId = await jobs.find(job.state.container, call);
    if (jobId === undefined) return undefined;
    await save(job, { jobId });
  }
  return jobs.look(job.state.jobId ?? '', call);
}

export function isDone({ status }: JobLook): boolean {
  return status === 'Completed' || status === 'Failed';
}

/** What it says is read before its files go. Where it refused all for their ids, it is asked once more without them. */
async function end(job: ImportJob, look: JobLook): Promise<void> {
  const result = await readResult(job, look);
  const { made, refusals } = result;
  const isRefused = made.every((one) => one === REFUSED);
  if (job.state.hasIds && isRefused) return askWithoutIds(job);
  await save(job, { state: 'ended', made: [...made], refusals });
  await removeFiles(job);
  const { made: madeCount, refused } = countImport(job.state);
  const failed = look.status === 'Failed' ? 'failed' : 'is done, and has made nothing';
  if (madeCount === 0) return noteFault(job, `An import job ${failed}.`, true);
  if (refused > 0) {
    await noteFault(job, `Import jobs refused some registrations (${Object.keys(refusals).join('; ')}).`, false);
  }
}

/** Nothing of it where its files are gone. */
export async function readResult(job: ImportJob, look: JobLook): Promise<ImportResult> {
  const { hasIds, lines, revokedAt } = job.state;
  const isThere = revokedAt === undefined;
  const output = isThere ? await readText(job, 'Output.txt', look.outputName) : '';
  const failed = isThere ? await readText(job, 'Failed.txt', look.failedName) : '';
  const sent = isThere && hasIds ? (await readText(job, IMPORT_FILE)).split('\n') : [];
  const sentId = (line: number): string | undefined => /<RegistrationId>([^<]*)</.exec(sent[line] ?? '')?.[1];
  return readImportResult({ output, failed }, lines.length, sentId);
}

const RANGE_BYTES = 4 * 1024 * 1024;

async function readText({ imports: { files }, state }: ImportJob, title: string, name?: string): Promise<string> {
  const file = await files.find(state.container, title, name);
  const parts: Uint8Array[] = [];
  for (let offset = 0; file !== undefined && offset < file.sizeBytes; offset += RANGE_BYTES) {
    const length = Math.min(RANGE_BYTES, file.sizeBytes - offset);
    parts.push(await files.read(state.container, file.name, { offset, length }));
  }
  return Buffer.concat(parts).toString();
}

/** In a container of its own, so that it is known from the one before. */
async function askWithoutIds(job: ImportJob): Promise<void> {
  const { app, imports, run, shard, wave, state } = job;
  const text = withoutIds(await readText(job, IMPORT_FILE));
  const container = importContainer(run.id, shard, wave, 2);
  await imports.files.open(container, EXPORT_GRANT_MS);
  await imports.files.write(container, IMPORT_FILE, Buffer.from(text));
  const at = toInstant(app.world.storageNow());
  const fresh = { jobId: undefined, submittedAt: undefined, progress: undefined, askedAt: at, movedAt: at };
  await save(job, { ...fresh, state: 'asked', container, hasIds: false });
  await orWarn(app, 'import not removed', { container: state.container }, () => imports.files.remove(state.container));
  await changeRun(app, 'restore', run.id, (current) =>
    current.imports?.isWithoutIds ? undefined : { ...current, imports: { ...current.imports, isWithoutIds: true } },
  );
  throw waiting(job, 'ImportRunning', 'its import job is asked for without registration ids');
}

function withoutIds(text: string): string {
  return text.split('\n').map(withoutId).join('\n');
}

/** Nothing was handed over. */
async function endWithout(job: ImportJob, fault: string | undefined): Promise<void> {
  await save(job, { state: 'ended', made: [] });
  await removeFiles(job);
  if (fault !== undefined) await noteFault(job, fault, true);
}

/** Takes its files and addresses away. What it has read by then it may create all the same. */
async function revoke(job: ImportJob, why: string): Promise<void> {
  await withdrawAccess(job);
  await noteFault(job, `An import job was given up: ${why}.`, true);
}

export async function withdrawAccess(job: ImportJob): Promise<void> {
  const { app, imports, state } = job;
  await imports.files.remove(state.container);
  await save(job, { state: 'revoked', revokedAt: toInstant(app.world.storageNow()) });
}

/** `isLast`: the run asks for no more jobs. */
export async function noteFault(
  { app, run }: Pick<ImportJob, 'app' | 'run'>,
  fault: string,
  isLast: boolean,
): Promise<void> {
  app.log.warn('import job', { runId: run.id, reason: fault });
  const warning = `${fault} Its registrations are written directly.`;
  await changeRun(app, 'restore', run.id, (current) => ({
    ...current,
    warnings: [...current.warnings.filter((one) => one !== warning), warning],
    imports: { ...current.imports, ...(isLast ? { isOff: true } : {}) },
  }));
}

export function waiting({ app, run, state }: ImportJob, code: string, cause: string): Deferral {
  const { submittedAt = state.askedAt } = state;
  const delayMs = nextLookMs({ askedAt: submittedAt }, app.world.storageNow());
  return new Deferral(delayMs, { on: fullNameOf(run.hub), code, cause });
}

export async function save(job: ImportJob, changes: Partial<ImportState>): Promise<void> {
  const { app, run, shard, wave } = job;
  const state = { ...job.state, ...changes };
  const counts = Object.entries(countImport(state)).map(([name, count]) => [name, String(count)]);
  const facts = { state: state.state, ...Object.fromEntries(counts) };
  const etag = await documents.import.write(app, importName(run.id, shard, wave), state, { etag: job.etag }, facts);
  if (etag === 'conflict') throw new Superseded('another step went on with this import');
  job.state = state;
  job.etag = etag;
}

/** What is left is removed with the old snapshots. */
export async function removeFiles({ app, imports, state: { container } }: ImportJob): Promise<void> {
  await orWarn(app, 'import not removed', { container }, () => imports.files.remove(container));
}
