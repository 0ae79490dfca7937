import { DrError, orFault, RecordFault } from '../../core/errors.ts';
import { DUAL_FOLDER, deadFolder, erasedName, fullNameOf, scanName } from '../../core/paths.ts';
import type { Hub, Page } from '../../core/ports.ts';
import { shardCountFor } from '../../core/registration/record.ts';
import { termsOf } from '../../core/run/role.ts';
import { isOver, type RestoreRun, type Run, type Term } from '../../core/run/run.ts';
import {
  MAX_PLACES,
  newScanCheckpoint,
  type ScanCheckpoint,
  unreadInWords,
} from '../../core/snapshot/scan-checkpoint.ts';
import { counted } from '../../core/words.ts';
import { type App, type HeldStep, hubOf, toInstant } from '../app.ts';
import { type Moved, moveOn } from '../runs/dispatch.ts';
import { watchEnd } from '../runs/end-watch.ts';
import { readRoles } from '../runs/roles.ts';
import { readRun, Superseded } from '../runs/store.ts';
import { documents } from '../stored/documents.ts';
import { surveyIds } from './ids-listed-twice.ts';
import { Listing } from './pages.ts';
import { storeSegment } from './segments.ts';
import { openStaging, stageRows } from './stage-rows.ts';
import type { PackedSegment, Staging } from './staging.ts';

/** Rows are stored when so much of them, packed, has gathered, or after this time, whichever comes first. */
const SEGMENT_BYTES = 12 * 1024 * 1024;
const STORE_AFTER_MS = 30_000;
/** A listing that keeps losing its place is given up; the snapshot would be no good. */
const MAX_RESTARTS = 5;

/**
 * Lists the run's hub within the step's time: every row goes to the section its record key hashes to, and a checkpoint
 * names what is stored. Answers whether the listing is complete; if not, another step resumes from the checkpoint.
 */
export async function scan(
  app: App,
  run: Run,
  held: HeldStep,
  source: RowSource = { rows: hubOf(app, run.hub) },
): Promise<Moved | 'continue'> {
  const progress = await openProgress(app, run, source.readAt);
  if (!progress.checkpoint.isFinished) {
    const end = await list(app, source, progress, held);
    if (end === 'interrupted') return 'continue';
  }
  const devices = run.kind === 'backup' ? await noteIds(app, progress) : undefined;
  const { rowCount } = progress.checkpoint;
  const isFirst = run.kind === 'restore' && run.phase.pass === 1;
  const known = isFirst ? await findSourceFlags(app, run) : {};
  const terms = isFirst ? await findNewTerms(app, run) : undefined;
  const found: Found = { rowCount, devices, known, terms, unread: unreadInWords(progress.checkpoint) };
  return moveOn(app, run, { name: 'seal', pass: run.phase.pass }, (current) => noteListing(current, found));
}

/** Where the rows come from, if not from the run's hub. */
export interface RowSource {
  readonly rows: Pick<Hub, 'listPage'>;
  /** When it was read, where that was before it is listed here. */
  readonly readAt?: string;
  /** Looks at the counts before the listing is taken for complete; what it throws leaves it open. */
  readonly requireWhole?: (counts: Pick<ScanCheckpoint, 'rowCount' | 'unreadableCount'>) => void;
}

/** What was listed from another source so far does not count: the run's listing begins again. */
export async function forgetListing(app: App, run: Run): Promise<void> {
  await save(app, await openProgress(app, run), newScanCheckpoint(toInstant(app.world.storageNow())));
}

interface Found {
  readonly rowCount: number;
  /** Of a backup, where they were counted. */
  readonly devices: number | undefined;
  readonly known: SourceFlags;
  /** Of a restore, where the role has changed since it began. */
  readonly terms: Term[] | undefined;
  /** What of the listing is not known, if anything. */
  readonly unread: string | undefined;
}

/** What is said of records beside the snapshot, the target and the baseline. */
type SourceFlags = Pick<NonNullable<RestoreRun['source']>, 'hasErasures' | 'hasDead' | 'hasDualWrites'>;

function noteListing<R extends Run>(listed: R, { rowCount, devices, known, terms, unread }: Found): Run {
  const warning = `Of hub ${fullNameOf(listed.hub)} ${unread}, and are left out.`;
  const isKnown = unread === undefined || listed.warnings.includes(warning);
  const run: Run = isKnown ? listed : { ...listed, warnings: [...listed.warnings, warning] };
  if (run.kind === 'backup') return { ...run, shardCount: shardCountFor(rowCount), deviceCount: devices };
  if (run.kind !== 'restore' || run.phase.pass !== 1) return run;
  const { source } = run;
  return {
    ...run,
    found: { rows: rowCount, ...(terms === undefined ? {} : { terms }) },
    ...(source === undefined ? {} : { source: { ...source, ...known } }),
  };
}

/** Looked for while the run holds its hub: an erasure stores it first, and then looks for such runs. */
async function findSourceFlags(
  app: App,
  { hub, request: { sourceHub, snapshotId } }: RestoreRun,
): Promise<SourceFlags> {
  const { blobs } = app;
  const [erased, dead, dual] = await Promise.all([
    blobs.list(erasedName(sourceHub, snapshotId)),
    blobs.list(deadFolder(sourceHub, hub)),
    blobs.listFolders(DUAL_FOLDER),
  ]);
  return {
    ...(erased.length > 0 ? { hasErasures: true } : {}),
    ...(dead.length > 0 ? { hasDead: true } : {}),
    ...(dual.length > 0 ? { hasDualWrites: true } : {}),
  };
}

/** What its devices have removed since the target came into use, the listing shows as missing. */
async function findNewTerms(app: App, { terms }: RestoreRun): Promise<Term[] | undefined> {
  // One that cannot be read ends no restore: that goes by what it knew.
  const roles = await orFault(readRoles(app));
  const now = roles instanceof DrError ? terms : termsOf(roles.role);
  return now === undefined || JSON.stringify(now) === JSON.stringify(terms) ? undefined : [...now];
}

/** A step that runs twice finds the same rows. Gives how many devices there are. */
async function noteIds(app: App, progress: Progress): Promise<number | undefined> {
  const { run, checkpoint } = progress;
  const { superseded, devices } = await surveyIds(app, checkpoint);
  if (superseded.length === 0 || checkpoint.superseded !== undefined) return devices;
  app.log.warn('ids listed under two keys', { runId: run.id, rows: superseded.length });
  await save(app, progress, { ...checkpoint, superseded });
  return devices;
}

/** The checkpoint of a complete listing: an older one in its place would leave rows out. */
export async function readFinishedScan(app: App, run: Run): Promise<ScanCheckpoint> {
  const name = scanName(run.kind, run.id, run.phase.pass);
  const checkpoint = await documents.scan.read(app, name);
  if (checkpoint.isFinished) return checkpoint;
  throw documents.scan.invalid(name, 'is an older one than the one that ended its listing');
}

interface Progress {
  readonly run: Run;
  checkpoint: ScanCheckpoint;
  /** Of the stored checkpoint; absent before the first one. */
  etag: string | undefined;
  readonly staged: Staging;
}

async function openProgress(app: App, run: Run, readAt = toInstant(app.world.storageNow())): Promise<Progress> {
  const name = scanName(run.kind, run.id, run.phase.pass);
  const stored = await documents.scan.find(app, name);
  const checkpoint = stored?.value ?? newScanCheckpoint(readAt);
  return { run, checkpoint, etag: stored?.etag, staged: openStaging(app, run, checkpoint.segments) };
}

/** How far a listing has come, stored or not. */
type Position = Pick<
  ScanCheckpoint,
  'token' | 'pageCount' | 'rowCount' | 'unreadableCount' | 'unreadableAt' | 'isFinished'
>;

/**
 * Lists page after page. While what has gathered is being stored, the listing continues. What was listed before a fault
 * is stored, too, so that nothing is read twice.
 */
async function list(
  app: App,
  { rows, requireWhole }: RowSource,
  progress: Progress,
  held: HeldStep,
): Promise<'finished' | 'interrupted'> {
  const { deadlineAt } = held;
  const { staged } = progress;
  let at: Position = progress.checkpoint;
  let storeAt = app.world.now() + STORE_AFTER_MS;
  let storing = Promise.resolve();
  const listing = new Listing(rows, deadlineAt, app.world);
  const end = watchEnd(app, progress.run, held);
  for (;;) {
    const page = await listing.page(at.token);
    if (held.isLost) throw new Superseded('another process took this step over');
    if (page instanceof DrError) {
      await storing;
      if (!page.retryable || staged.isEmpty) throw page instanceof RecordFault ? atRow(page, at.rowCount + 1) : page;
      // A fault after some pages: they are stored, and the next step resumes there.
      app.log.info('listing interrupted', { runId: progress.run.id, code: page.code });
      await store(app, progress, await staged.take(), at);
      return 'interrupted';
    }
    if (page === 'tokenLost' || (page.nextToken !== undefined && page.nextToken === at.token)) {
      await storing;
      await staged.take();
      at = await restart(app, progress, at);
      continue;
    }
    const { nextToken } = page;
    const isFinished = nextToken === undefined;
    const isOver = isFinished || end.mustStop() || app.world.now() >= deadlineAt;
    at = {
      ...(isFinished ? {} : { token: nextToken }),
      ...after(at, page, stageRows(staged, progress.run, page.rows)),
      isFinished,
    };
    if (isFinished) requireWhole?.(at);
    await staged.packFull();
    if (!isOver && staged.packedBytes < SEGMENT_BYTES && app.world.now() < storeAt) continue;
    await storing;
    storing = store(app, progress, await staged.take(), at);
    storeAt = app.world.now() + STORE_AFTER_MS;
    if (isOver) {
      await storing;
      return isFinished ? 'finished' : 'interrupted';
    }
    // What becomes of it is seen when it is awaited.
    storing.catch(() => {});
  }
}

/** The counts after a page, of which these rows could not be read. */
function after(at: Position, { rows, missing = [] }: Page, unreadable: readonly number[]) {
  const { pageCount, rowCount, unreadableCount, unreadableAt = [] } = at;
  const counts = {
    pageCount: pageCount + 1,
    rowCount: rowCount + rows.length + missing.length,
    unreadableCount: unreadableCount + unreadable.length + missing.length,
  };
  if (counts.unreadableCount === 0) return counts;
  // Those that are missing push back the ones behind them.
  const read = unreadable.map((index) => index + missing.filter((place, before) => place - before <= index).length);
  const places = [...missing, ...read].sort((a, b) => a - b).map((index) => rowCount + index + 1);
  return { ...counts, unreadableAt: [...unreadableAt, ...places].slice(0, MAX_PLACES) };
}

/** With the place in the listing, by which the row can be looked for. */
function atRow({ code, message, retryable, seen, target, retryAfterMs }: DrError, row: number): DrError {
  return new DrError(code, `Row ${row} of the listing: ${message}`, { retryable, target, retryAfterMs, seen });
}

async function store(app: App, progress: Progress, packed: PackedSegment | undefined, at: Position): Promise<void> {
  const { startedAt, restartCount } = progress.checkpoint;
  const segment = packed === undefined ? [] : [await storeSegment(app, packed)];
  await save(app, progress, {
    ...at,
    startedAt,
    restartCount,
    ...(at.isFinished ? { finishedAt: toInstant(app.world.storageNow()) } : {}),
    segments: [...progress.checkpoint.segments, ...segment],
  });
}

/** The hub no longer takes the token: everything staged so far may lack rows, so the listing begins again. */
async function restart(app: App, progress: Progress, at: Position): Promise<Position> {
  const restartCount = progress.checkpoint.restartCount + 1;
  const { id, hub } = progress.run;
  app.log.warn('listing begins again: its continuation token was lost', { runId: id, restartCount });
  if (restartCount > MAX_RESTARTS) {
    const message = `The listing of hub ${fullNameOf(hub)} lost its place ${counted(restartCount, 'time')}, the last time after row ${at.rowCount}. Try again when the hub is quieter, or look at the service's health.`;
    throw new DrError('ListingUnstable', message);
  }
  await save(app, progress, newScanCheckpoint(toInstant(app.world.storageNow()), restartCount));
  return progress.checkpoint;
}

async function save(app: App, progress: Progress, checkpoint: ScanCheckpoint): Promise<void> {
  const { run } = progress;
  const stored = await readRun(app, run.kind, run.id);
  if (stored === undefined || isOver(stored)) throw new Superseded('the run is over');
  const name = scanName(run.kind, run.id, run.phase.pass);
  const etag = await documents.scan.write(app, name, checkpoint, { etag: progress.etag });
  if (etag === 'conflict') throw new Superseded('another step went on with this listing');
  progress.checkpoint = checkpoint;
  progress.etag = etag;
  app.log.info('listing', { runId: run.id, pages: checkpoint.pageCount, rows: checkpoint.rowCount });
}
