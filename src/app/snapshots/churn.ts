import type { BlobFacts } from '../../core/ports.ts';

/** How a snapshot differs from the good one before it, in records. */
export interface Churn {
  readonly sinceSnapshotId: string;
  /** Between the beginnings of the two. */
  readonly seconds: number;
  readonly added: number;
  readonly removed: number;
  /** Of the same key, but with rows that say something else to the device. */
  readonly changed: number;
}

/** `undefined` when the facts are not those of a churn. */
export function readChurn({ since, ...facts }: BlobFacts): Churn | undefined {
  const [seconds, added, removed, changed] = ['seconds', 'added', 'removed', 'changed'].map((name) =>
    Number(facts[name] ?? Number.NaN),
  );
  if (since === undefined || seconds === undefined || added === undefined) return undefined;
  if (removed === undefined || changed === undefined) return undefined;
  if (![seconds, added, removed, changed].every(Number.isFinite)) return undefined;
  return { sinceSnapshotId: since, seconds, added, removed, changed };
}
