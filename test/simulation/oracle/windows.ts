import type { Row, Writer } from '../row.ts';
import type { Facts } from './facts.ts';
import { hubOf, isRestore, isWriter, type KnownRestore, versionOf } from './runs.ts';

export type ToolWriter = Extract<Writer, { readonly kind: 'tool' }>;

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
 * Whether the source may have spoken later than the target, as far as the app can tell: an earlier run saw what the
 * target holds, and the source has spoken after the snapshot of that run was read.
 */
export function isSourceLaterToTheApp(facts: Facts, write: Write, before: Row, spokenAt: number): boolean {
  const isWitness = (one: KnownRestore): boolean => {
    const { purpose, snapshotId } = one.doc.request;
    if (one === write.run || purpose === 'rollback' || !isWriter(one) || hubOf(one) !== write.hub) return false;
    const readAt = facts.runs.get(snapshotId)?.firstListedAt ?? Number.POSITIVE_INFINITY;
    return readAt <= spokenAt && one.seen.has(versionOf(write.hub, before));
  };
  return facts.runs.all().some((one) => isRestore(one) && isWitness(one));
}
