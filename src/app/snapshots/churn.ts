import { z } from 'zod';
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

const number = z.coerce.number();
const churnSchema = z.object({ since: z.string(), seconds: number, added: number, removed: number, changed: number });

export function churnFacts({ sinceSnapshotId, seconds, added, removed, changed }: Churn): BlobFacts {
  const numbers = Object.entries({ seconds, added, removed, changed }).map(([name, value]) => [name, String(value)]);
  return { since: sinceSnapshotId, ...Object.fromEntries(numbers) };
}

/** `undefined` when the facts are not those of a churn. */
export function readChurn(facts: BlobFacts): Churn | undefined {
  const { data } = churnSchema.safeParse(facts);
  if (data === undefined) return undefined;
  const { since: sinceSnapshotId, ...counts } = data;
  return { sinceSnapshotId, ...counts };
}
