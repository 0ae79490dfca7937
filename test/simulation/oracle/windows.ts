import type { Knobs } from '../knobs.ts';
import { isSame, type Row, tell, type Writer } from '../row.ts';
import type { Facts } from './facts.ts';
import { hubOf, isRestore, isWriter, type KnownRestore, versionOf } from './runs.ts';
import { readSnapshot } from './snapshots.ts';

export type ToolWriter = Extract<Writer, { readonly kind: 'tool' }>;

/** A run's end is noticed within this, however slow its storage is. */
const MOST_MS = 30_000;

/** A run's end is noticed by a look at it each second, which takes its time, and is repeated when it fails. */
export function noticedWithinMs({ storageMs, slowShare, slowness, storageFaults }: Knobs): number {
  const slowestMs = 2 * storageMs * (slowShare > 0 ? slowness : 1) + 4 * storageMs;
  return Math.min(MOST_MS, 2000 + 2 * slowestMs + (storageFaults > 0 ? 10_000 : 0));
}

/** A write of the app, when it took effect. */
export interface Write {
  readonly run: KnownRestore;
  readonly hub: string;
  readonly by: ToolWriter;
}

/**
 * Whether the row became as it is when the run could not know of it any more. What a look has shown of a plain row is
 * written over that version only. An installation is asked for right before; so is whatever is created in a hub that
 * held something. Into an empty one it is written without a question: then the window begins with the listing.
 */
export function isInWindow({ run, by: { looked } }: Write, row: Row): boolean {
  const { listedAt, askedAt, isShown } = looked;
  if (isShown && row.installationId === undefined) return false;
  if (askedAt !== undefined) return row.appliedAt >= askedAt;
  return !isShown && run.before.length === 0 && row.appliedAt >= listedAt;
}

/** When the run last looked at what it wrote. */
export function newestLookOf({ by: { looked } }: Write): number {
  return looked.askedAt ?? looked.listedAt;
}

export function hasSeen({ run, hub }: Write, row: Row): boolean {
  return run.seen.has(versionOf(hub, row));
}

/**
 * Whether the source seems to have spoken later than the target, as far as the app can tell: an earlier run saw what the
 * target holds, and that run's snapshot shows the record otherwise than this one's. A listing that passes over a row
 * does so, too.
 */
export function isSourceLaterToTheApp(facts: Facts, write: Write, before: Row): boolean {
  const now = shownIn(facts, write.run, before);
  const versions = versionsOf(facts, write.hub, before);
  const isWitness = (one: KnownRestore): boolean => {
    if (one === write.run || one.doc.request.purpose === 'rollback' || !isWriter(one)) return false;
    if (hubOf(one) !== write.hub || !versions.some((version) => one.seen.has(version))) return false;
    return readAtOf(facts, one) < readAtOf(facts, write.run) && shownIn(facts, one, before) !== now;
  };
  return facts.runs.all().some((one) => isRestore(one) && isWitness(one));
}

/** Its own, and those it had before rollbacks put it back: the notes of the looks that showed them take its new ones over. */
function versionsOf(facts: Facts, hub: string, row: Row): string[] {
  const run = row.by.kind === 'tool' ? facts.runs.get(row.by.runId) : undefined;
  const isPutBack = run !== undefined && isRestore(run) && run.doc.request.purpose === 'rollback';
  const undone = isPutBack ? facts.runs.get(run.doc.request.of ?? '') : undefined;
  const former = undone?.before.filter((one) => isSame(one, row)) ?? [];
  return [versionOf(hub, row), ...former.flatMap((one) => versionsOf(facts, hub, one))];
}

/** When a run's snapshot was read. */
export function readAtOf(facts: Facts, { doc }: KnownRestore): number {
  return facts.runs.get(doc.request.snapshotId)?.firstListedAt ?? 0;
}

/** The version in which a run's snapshot shows a record, and its words: one that was made again begins with the first. */
function shownIn({ container }: Facts, { doc }: KnownRestore, { handle, installationId }: Row): string {
  const { sourceHub, snapshotId } = doc.request;
  return readSnapshot(container, sourceHub, snapshotId)
    .filter((row) => row.installationId === installationId && (installationId !== undefined || row.handle === handle))
    .map((row) => `${row.id} ${row.etag} ${tell(row)}`)
    .sort()
    .join();
}
