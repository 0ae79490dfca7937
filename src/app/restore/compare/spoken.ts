import { readAtOf } from '../../../core/restore/plan/circumstances.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { readWords } from '../../dual/words.ts';

/** What is read for one shard holds for others, too, for so long. */
const FRESH_MS = 15_000;
/** The last look at the target was some time before the baseline was moved. */
const LOOK_MS = 2 * 3_600_000;

/**
 * When the target last confirmed a write of a record's backend, by the hash of its key: 0 where it has not since the
 * snapshot was read, nor since the pair last agreed. Costs nothing where no backend writes to both hubs.
 */
export async function openSpoken(app: App, run: RestoreRun): Promise<(keyHash: number) => number> {
  if (run.source?.hasDualWrites === undefined) return () => 0;
  const { words: remembered } = app.memory;
  const nowMs = app.world.now();
  const known = remembered.get(run.id);
  const isFresh = known !== undefined && nowMs - known.atMs < FRESH_MS;
  const agreedAt = run.baseline === undefined ? Number.POSITIVE_INFINITY : Date.parse(run.baseline.current.at);
  const came = isFresh ? known.came : readWords(app, run.hub, Math.min(readAtOf(run), agreedAt - LOOK_MS));
  if (!isFresh) {
    for (const [id, { atMs }] of remembered) if (nowMs - atMs >= FRESH_MS) remembered.delete(id);
    remembered.set(run.id, { atMs: nowMs, came });
  }
  const { confirmedAt } = await came.catch((error: unknown) => {
    remembered.delete(run.id);
    throw error;
  });
  return confirmedAt;
}
