import { hash53 } from '../bytes/hash.ts';
import type { Write } from './plan/write.ts';

/** Rows of one handle may be thousands: a record of that many writes is continued where the step before was. */
const MANY_WRITES = 100;

export function isLong(writes: readonly Write[]): boolean {
  return writes.length >= MANY_WRITES;
}

/** By what the first writes of a record are known to a step that has planned them once more. */
export function markOf(writes: readonly Write[], done: number): number {
  return hash53(
    writes
      .slice(0, done)
      .map(({ kind, id }) => `${kind} ${id}`)
      .join(),
  );
}
