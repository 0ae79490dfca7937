import { startOfRunId } from '../run/run.ts';
import type { Manifest } from './manifest.ts';

/** Clocks that agree differ by less. */
const SAME_CLOCK_MS = 5 * 60_000;

/** Whether an instant that was noted by then is one that had not come yet (epoch ms). */
export function isAhead(atMs: number | undefined, nowMs: number): boolean {
  return atMs !== undefined && atMs - nowMs > SAME_CLOCK_MS;
}

/**
 * The manifest with its times by the storage's clock: it was published when it was stored, whatever the clock of the
 * host said.
 */
export function datedByStorage(manifest: Manifest, storedAtMs: number): Manifest {
  const { readStartedAt, readFinishedAt, publishedAt } = manifest;
  const published = Date.parse(publishedAt);
  const aheadMs = isAhead(published, storedAtMs) ? published - storedAtMs : 0;
  if (aheadMs === 0 && !isAhead(Date.parse(readStartedAt), storedAtMs)) return manifest;
  // Where the clock was put right while the backup ran, how long that took is not known.
  const dated = (instant: string): string =>
    new Date(Math.min(Date.parse(instant) - aheadMs, storedAtMs)).toISOString();
  return {
    ...manifest,
    readStartedAt: dated(readStartedAt),
    readFinishedAt: dated(readFinishedAt),
    publishedAt: dated(publishedAt),
  };
}

/** Whether a snapshot whose times are the storage's has an id of a clock that was ahead: it comes before later ones. */
export function isMisdated({ id, publishedAt }: Pick<Manifest, 'id' | 'publishedAt'>): boolean {
  return isAhead(startOfRunId(id), Date.parse(publishedAt));
}
