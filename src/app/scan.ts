import { DrError } from '../core/errors.ts';
import { scanName } from '../core/paths.ts';
import type { Hub, Page } from '../core/ports.ts';
import { recordKey, sectionOf, shardCountFor } from '../core/record.ts';
import { parseRegistration } from '../core/registration.ts';
import type { Run } from '../core/run.ts';
import { isOver } from '../core/run.ts';
import {
  formatScanCheckpoint,
  newScanCheckpoint,
  parseScanCheckpoint,
  type ScanCheckpoint,
} from '../core/scan-checkpoint.ts';
import { type App, hubOf, toInstant } from './app.ts';
import { openDocument, sealDocument } from './codec.ts';
import { moveOn } from './dispatch.ts';
import { beat, readRun, Superseded } from './run-store.ts';
import { storeSegment } from './segments.ts';
import { createStaging, type Staging } from './staging.ts';

/** Rows are stored when this much of them has gathered, or this much time has passed, whichever comes first. */
const FLUSH_BYTES = 16 * 1024 * 1024;
const FLUSH_AFTER_MS = 30_000;
/** A listing that keeps losing its place is given up; the snapshot would be no good. */
const MAX_RESTARTS = 5;

/**
 * Lists the run's hub within the step's time: every row goes to the section its record key hashes to, and a checkpoint
 * names what is stored. Answers whether the listing is complete; if not, another step goes on from the checkpoint.
 */
export async function scan(app: App, run: Run, deadlineAt: number): Promise<'done' | 'continue'> {
  const hub = hubOf(app, run.hub);
  const progress = await openProgress(app, run);
  while (!progress.checkpoint.isFinished) {
    if (app.clock.now() >= deadlineAt) return 'continue';
    if ((await listUntilFlush(app, hub, progress, deadlineAt)) === 'interrupted') return 'continue';
  }
  const { rowCount } = progress.checkpoint;
  await moveOn(app, run, { name: 'seal', pass: run.phase.pass }, (current) => ({
    ...current,
    shardCount: current.kind === 'backup' ? shardCountFor(rowCount) : current.shardCount,
  }));
  return 'done';
}

/** The newest checkpoint of a pass. Throws `StoredDocumentInvalid` when it is missing or damaged. */
export async function readScan(app: App, run: Run, pass: number): Promise<ScanCheckpoint> {
  const name = scanName(run.kind, run.id, pass);
  const stored = await readCheckpoint(app, name);
  if (stored !== undefined) return stored.checkpoint;
  throw unusable(name, 'is missing');
}

/** The checkpoint of a complete listing: an older one in its place would leave rows out. */
export async function readFinishedScan(app: App, run: Run): Promise<ScanCheckpoint> {
  const checkpoint = await readScan(app, run, run.phase.pass);
  if (checkpoint.isFinished) return checkpoint;
  throw unusable(scanName(run.kind, run.id, run.phase.pass), 'is an older one than the one that ended its listing');
}

function unusable(name: string, what: string): DrError {
  return new DrError('StoredDocumentInvalid', `The scan checkpoint ${name} ${what}. Start a new run.`, {
    target: name,
  });
}

async function readCheckpoint(app: App, name: string) {
  const blob = await app.blobs.get(name);
  if (blob === undefined) return undefined;
  return { checkpoint: parseScanCheckpoint(openDocument(name, blob.bytes), name), etag: blob.etag };
}

interface Progress {
  readonly run: Run;
  checkpoint: ScanCheckpoint;
  /** Of the stored checkpoint; absent before the first one. */
  etag: string | undefined;
  readonly staged: Staging;
}

async function openProgress(app: App, run: Run): Promise<Progress> {
  const name = scanName(run.kind, run.id, run.phase.pass);
  const staged = createStaging(FLUSH_BYTES);
  const stored = await readCheckpoint(app, name);
  if (stored !== undefined) return { run, staged, ...stored };
  return { run, staged, checkpoint: newScanCheckpoint(toInstant(app.clock.now())), etag: undefined };
}

/** Lists pages until it is time to stage them. What was listed before a fault is staged, so that nothing is read twice. */
async function listUntilFlush(
  app: App,
  hub: Hub,
  progress: Progress,
  deadlineAt: number,
): Promise<'flushed' | 'interrupted'> {
  const { staged } = progress;
  staged.clear();
  let isInterrupted = false;
  const flushAt = Math.min(deadlineAt, app.clock.now() + FLUSH_AFTER_MS);
  let { token, pageCount, rowCount, unreadableCount } = progress.checkpoint;
  let isFinished = false;
  try {
    let pending: Promise<Page | 'tokenLost'> | undefined = hub.listPage(token, { deadlineAt });
    while (pending !== undefined) {
      const page: Page | 'tokenLost' = await pending;
      if (page === 'tokenLost' || (page.nextToken !== undefined && page.nextToken === token)) {
        await restart(app, progress);
        return 'flushed';
      }
      pageCount += 1;
      rowCount += page.rows.length;
      token = page.nextToken;
      isFinished = token === undefined;
      const isFull = staged.sizeBytes >= FLUSH_BYTES || app.clock.now() >= flushAt;
      // The next page is under way while this one is taken apart.
      pending = isFinished || isFull ? undefined : hub.listPage(token, { deadlineAt });
      // What becomes of it is seen when it is awaited; a fault in between must not leave its rejection unheard.
      pending?.catch(() => {});
      for (const xml of page.rows) if (!stage(staged, xml)) unreadableCount += 1;
    }
  } catch (error) {
    if (!(error instanceof DrError) || !error.retryable || staged.sizeBytes === 0) throw error;
    isInterrupted = true;
    // A fault after some pages: they are stored, and the next step goes on from there.
    app.log.info('listing interrupted', { runId: progress.run.id, code: error.code });
  }
  const { token: _, ...before } = progress.checkpoint;
  await save(app, progress, {
    ...before,
    ...(token === undefined ? {} : { token }),
    pageCount,
    rowCount,
    unreadableCount,
    isFinished,
    ...(isFinished ? { finishedAt: toInstant(app.clock.now()) } : {}),
    segments: [...before.segments, ...(await storeSegment(app, progress.run, before.segments.length, staged))],
  });
  return isInterrupted ? 'interrupted' : 'flushed';
}

/** The hub no longer takes the token: everything staged so far may lack rows, so the listing begins again. */
async function restart(app: App, progress: Progress): Promise<void> {
  const restartCount = progress.checkpoint.restartCount + 1;
  const { id, hub } = progress.run;
  app.log.warn('listing begins again: its continuation token was lost', { runId: id, restartCount });
  if (restartCount > MAX_RESTARTS) {
    throw new DrError(
      'ListingUnstable',
      `The listing of hub ${hub.namespace}/${hub.hub} lost its place ${restartCount} times. Try again when the hub is quieter, or look at the service's health.`,
    );
  }
  await save(app, progress, newScanCheckpoint(toInstant(app.clock.now()), restartCount));
}

async function save(app: App, progress: Progress, checkpoint: ScanCheckpoint): Promise<void> {
  const { run } = progress;
  const stored = await readRun(app, run.kind, run.id);
  if (stored === undefined || isOver(stored.run)) throw new Superseded('the run is over');
  const name = scanName(run.kind, run.id, run.phase.pass);
  const condition = progress.etag === undefined ? 'new' : { etag: progress.etag };
  const etag = await app.blobs.put(name, sealDocument(name, formatScanCheckpoint(checkpoint)), condition);
  if (etag === 'conflict') throw new Superseded('another step went on with this listing');
  progress.checkpoint = checkpoint;
  progress.etag = etag;
  await beat(app, run.kind, run.id);
  app.log.info('listing', { runId: run.id, pages: checkpoint.pageCount, rows: checkpoint.rowCount });
}

/** False for a row that cannot be read: one bad row must not stop the backup of all others. */
function stage(staged: Staging, xml: string): boolean {
  const key = readKey(xml);
  if (key === undefined) return false;
  staged.add(sectionOf(key), xml);
  return true;
}

function readKey(xml: string): string | undefined {
  try {
    return recordKey(parseRegistration(xml));
  } catch (error) {
    if (error instanceof DrError && error.code === 'HubMisbehaves') return undefined; // Counted by the caller.
    throw error;
  }
}
