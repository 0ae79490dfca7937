import { RecordFault } from '../../../core/errors.ts';
import { fullNameOf, isSameHub, lockName } from '../../../core/paths.ts';
import type { CallOptions } from '../../../core/ports.ts';
import { recordKey } from '../../../core/registration/record.ts';
import type { Registration } from '../../../core/registration/registration.ts';
import { mayStillMake } from '../../../core/restore/import-job.ts';
import { twinsOf } from '../../../core/restore/twins.ts';
import { isOver, isRollbackOf, type RestoreRun } from '../../../core/run/run.ts';
import { type App, hubOf, orWarn } from '../../app.ts';
import { findRows } from '../../listing/hub-rows.ts';
import { Deferral } from '../../runs/deferral.ts';
import { readLocked } from '../../runs/lock.ts';
import { changeRun, listRuns, readRun, Superseded } from '../../runs/store.ts';
import { openSnapshotShard, readManifest } from '../../snapshots/store.ts';
import { forEachConcurrent } from '../../stored/concurrent.ts';
import { readOtherIds } from '../outcomes/minted-ids.ts';
import {
  type ImportJob,
  importPatienceOf,
  isDone,
  lookAt,
  openImport,
  readResult,
  removeFiles,
  save,
  withdrawAccess,
} from './job.ts';
import { forgetOpenImports, listImports, listOpenImports } from './store.ts';

/** The time that one look at all of them may take. */
const LOOK_MS = 60_000;
const NEXT_LOOK_MS = 15_000;

/**
 * Before a restore or rollback first looks at its hub: no job of an earlier restore may still be making what it would
 * write, or miss. Their files and addresses are taken away; then each is waited for until it has ended, or for
 * `IMPORT_PATIENCE_MINUTES`. Throws a `Deferral` while that is so.
 */
export async function awaitEarlierImports(app: App, run: RestoreRun, deadlineAt: number): Promise<void> {
  if (run.request.dryRun || run.phase.pass > 1) return;
  for (const runId of await listOpenImports(app)) {
    const earlier = runId === run.id ? undefined : await readRun(app, 'restore', runId);
    if (earlier === undefined || !isOver(earlier) || !isSameHub(earlier.hub, run.hub)) continue;
    const open = await settleImports(app, earlier, Math.min(deadlineAt, app.world.now() + LOOK_MS));
    const nowMs = app.world.storageNow();
    if (!open.some(({ state }) => mayStillMake(state, nowMs, importPatienceOf(app)))) {
      if (open.length > 0) await noteOpen(app, run, runId);
      continue;
    }
    const cause = `an import job of restore ${runId} may still create registrations`;
    throw new Deferral(NEXT_LOOK_MS, { on: fullNameOf(run.hub), code: 'ImportRunning', cause });
  }
}

/** It may make registrations that this run does not see. */
async function noteOpen(app: App, run: RestoreRun, earlierId: string): Promise<void> {
  const warning = `An import job of restore ${earlierId} has not ended. What it may still create is looked for each minute, and removed where it is there twice or was rolled back.`;
  await changeRun(app, 'restore', run.id, (current) =>
    current.warnings.includes(warning) ? undefined : { ...current, warnings: [...current.warnings, warning] },
  );
}

/** Each minute: what is left of import jobs of restores that are over is looked after until they have ended. */
export async function watchImports(app: App): Promise<void> {
  const deadlineAt = app.world.now() + LOOK_MS;
  for (const runId of await listOpenImports(app)) {
    const run = await readRun(app, 'restore', runId);
    if (run !== undefined && (!isOver(run) || (await isWrittenTo(app, run)))) continue;
    const open = run === undefined ? [] : await settleImports(app, run, deadlineAt);
    if (open.length === 0) await forgetOpenImports(app, runId);
  }
}

/** A run that writes there sees itself to what shows. */
async function isWrittenTo(app: App, { hub }: RestoreRun): Promise<boolean> {
  const run = (await readLocked(app, lockName('restore', hub)))?.run;
  return typeof run === 'object' && !isOver(run);
}

/** Gives those that have not ended. */
async function settleImports(app: App, run: RestoreRun, deadlineAt: number): Promise<ImportJob[]> {
  const open: ImportJob[] = [];
  for (const { shard, wave, facts } of await listImports(app, run.id)) {
    if (facts['state'] === 'ended') continue;
    const job = await openImport(app, run, shard, wave);
    if (job !== undefined && !(await hasEnded(job, { deadlineAt }).catch(leftToAnother))) open.push(job);
  }
  return open;
}

/** The watchdog and a restore that waits may look at once: what the other has stored counts, and the next look goes by it. */
function leftToAnother(error: unknown): false {
  if (error instanceof Superseded) return false;
  throw error;
}

/**
 * Looks once, takes the job's access away where it has not ended, and withdraws what it has made twice: all of it when it
 * ended late, a part at each look while it runs on.
 */
async function hasEnded(job: ImportJob, call: CallOptions): Promise<boolean> {
  const { app, run, state } = job;
  if (state.state === 'asked') {
    // It was never handed over.
    await save(job, { state: 'ended', made: [] });
    await removeFiles(job);
    return true;
  }
  const fields = { runId: run.id, shard: job.shard };
  const look = await orWarn(app, 'import job not seen', fields, () => lookAt(job, call));
  if (look === undefined || !isDone(look)) {
    if (job.state.revokedAt === undefined) await withdrawAccess(job);
    else if (isLeftRunning(job))
      await orWarn(app, 'import job not looked after', fields, () => withdrawSome(job, call));
    return job.state.jobId === undefined && isForgotten(job);
  }
  const { made, refusals } = await readResult(job, look);
  // None of it was written by others before its access was taken away.
  const isLate = job.state.revokedAt !== undefined;
  const lookAfter = (): Promise<boolean> => withdrawTwins(job, call);
  if (isLate && !(await orWarn(app, 'import job not looked after', fields, lookAfter))) return false;
  await save(job, { state: 'ended', made: [...made], refusals });
  await removeFiles(job);
  return true;
}

/**
 * The run did not wait for it any longer, and others write what it was given. What it can still make it has read before
 * its file went.
 */
function isLeftRunning({ app, state }: ImportJob): boolean {
  const nowMs = app.world.storageNow();
  const isWaitedFor = state.state !== 'overdue' && mayStillMake(state, nowMs, importPatienceOf(app));
  return !isWaitedFor && nowMs - Date.parse(state.revokedAt ?? '') < DAY_MS;
}

/** The hub never said that it took it, and by now it can read nothing. */
function isForgotten({ app, state: { submittedAt, askedAt } }: ImportJob): boolean {
  return app.world.storageNow() - Date.parse(submittedAt ?? askedAt) > DAY_MS;
}

const DAY_MS = 86_400_000;
/** Devices that are looked at between two notes of how far that is. */
const NOTED_AFTER = 500;
/** Devices that are asked for at once. */
const ASKED_AT_ONCE = 8;

/** Of a job that has not ended: by turns, so that a look costs the hub the same however much the job was given. */
async function withdrawSome(job: ImportJob, call: CallOptions): Promise<void> {
  const twins = await openTwins(job, call);
  if (twins === undefined) return;
  const parts = Math.ceil(twins.places / NOTED_AFTER);
  await twins.withdraw((Math.floor(job.app.world.storageNow() / LOOK_MS) % parts) * NOTED_AFTER);
}

/** `false` where the hub fails at some of them, and may serve them later. */
async function withdrawTwins(job: ImportJob, call: CallOptions): Promise<boolean> {
  const { app, run, shard, state } = job;
  const twins = await openTwins(job, call);
  if (twins === undefined) return true;
  let isAll = true;
  for (let at = state.lookedAfter; at < twins.places; at += NOTED_AFTER) {
    isAll = (await twins.withdraw(at)) && isAll;
    if (isAll) await save(job, { lookedAfter: Math.min(twins.places, at + NOTED_AFTER) });
  }
  if (isAll) app.log.info('import job ended late', { runId: run.id, shard });
  return isAll;
}

interface Twins {
  /** Devices the job was given. */
  readonly places: number;
  /** Of some devices from that place on. `false` where the hub fails at one of them, and may serve it later. */
  withdraw(from: number): Promise<boolean>;
}

/**
 * What the job has made beside a row under a known id is deleted, by id and version; likewise all of it where the restore
 * was rolled back. What else is there alone stays, as all does that a restore wrote before it was stopped. One that the
 * hub refuses to be asked about is passed over. `undefined` where the snapshot is gone.
 */
async function openTwins(job: ImportJob, options: CallOptions): Promise<Twins | undefined> {
  const call: CallOptions = { ...options, givesWay: true };
  const { app, run, shard, state } = job;
  const { sourceHub, snapshotId } = run.request;
  const manifest = await readManifest(app, sourceHub, snapshotId);
  if (manifest === undefined) {
    app.log.warn('import job not looked after', { runId: run.id, snapshotId });
    return undefined;
  }
  const records = await (await openSnapshotShard(app, manifest, shard)).openRecords();
  const otherIds = await readOtherIds(app, run, shard);
  const mintedFor = (id: string): readonly string[] => otherIds.get(id) ?? [];
  const isUndone = await isRolledBack(app, run);
  const hub = hubOf(app, run.hub);
  const places = [...Map.groupBy(state.lines, ([index]) => index)];
  const withdraw = async ([index, lines]: (typeof places)[number]): Promise<void> => {
    const record = records.at(index);
    const { handle = '' } = record.rows[0] ?? {};
    const shown = await findRows(hub, { handle }, call);
    const found = { key: record.key, rows: shown.filter((row) => recordKey(row) === record.key) };
    const doomed = new Map<string, Registration>();
    for (const [, place] of lines) {
      const row = record.rows[place];
      if (row === undefined) continue;
      const { isThere, twins } = twinsOf(row, record, found, mintedFor);
      // Of several that stand alone one stays.
      for (const twin of isThere || isUndone ? twins : twins.slice(1)) doomed.set(twin.id, twin);
    }
    for (const { id, etag } of doomed.values()) await hub.deleteRegistration(id, etag, call);
  };
  const withdrawFrom = async (from: number): Promise<boolean> => {
    let isAll = true;
    const withdrawIfServed = (place: (typeof places)[number]): Promise<void> =>
      withdraw(place).catch((error: unknown) => {
        if (!(error instanceof RecordFault)) throw error;
        isAll &&= !error.retryable;
      });
    await forEachConcurrent(places.slice(from, from + NOTED_AFTER), ASKED_AT_ONCE, withdrawIfServed);
    return isAll;
  };
  return { places: places.length, withdraw: withdrawFrom };
}

/** More runs than come between a restore and its rollback. */
const RUNS_READ = 100;

async function isRolledBack(app: App, restore: RestoreRun): Promise<boolean> {
  const runs = await listRuns(app, 'restore', RUNS_READ);
  return runs.some((run) => run.status === 'Succeeded' && isRollbackOf(run, restore));
}
