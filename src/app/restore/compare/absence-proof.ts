import type { BaselineRecord } from '../../../core/baseline/record.ts';
import { lookUpIn } from '../../../core/bytes/search.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import { type App, hubOf } from '../../app.ts';
import { holdsRows, within } from '../../listing/hub-rows.ts';
import { readKeysOfBoth } from '../../snapshots/newest-keys.ts';
import { askSource, openSource, PATIENCE_MS } from './ask-source.ts';
import { readLiveRecords } from './live-rows.ts';

/** Of a shard's doomed this many are asked for; when there are more, they are spread over all. */
const ASKED = 20;

/**
 * Which of the records that are to be withdrawn the source provably no longer holds, by hash. While it answers, it is
 * asked for them, and one that it still has saves all of them: then its listing has passed over rows. While it does
 * not, only what its two newest good snapshots both do not hold is proven, where they were read since the source was
 * seen to hold it, or all of them where the request says so.
 */
export async function proveAbsence(
  app: App,
  run: RestoreRun,
  shard: number,
  doomed: readonly number[],
  baselineOf: (keyHash: number) => BaselineRecord,
): Promise<ReadonlySet<number>> {
  if (doomed.length === 0) return new Set();
  const answer = await askSourceFor(app, run, shard, doomed);
  if (answer === 'has one') return new Set();
  if (answer === 'has none' || run.request.leftovers === 'withdraw') return new Set(doomed);
  const both = await readKeysOfBoth(app, run, shard);
  if (both === undefined) return new Set();
  const { held, readSince } = both;
  return new Set(doomed.filter((keyHash) => !held.has(keyHash) && seenInSource(baselineOf(keyHash)) <= readSince));
}

/** When the source was last seen to hold the record, or to be without it. */
function seenInSource({ agreed, note }: BaselineRecord): number {
  return (typeof agreed === 'object' ? agreed : note)?.source.at ?? Number.NEGATIVE_INFINITY;
}

async function askSourceFor(
  app: App,
  run: RestoreRun,
  shard: number,
  doomed: readonly number[],
): Promise<'has one' | 'has none' | 'silent'> {
  const sample = sampleOf(doomed);
  const live = await readLiveRecords(app, run, shard, lookUpIn(sample));
  const records = sample.flatMap((keyHash) => live.find(keyHash) ?? []);
  const findInSource = await openSource(app, run, shard);
  return askSource(app, run, async () => {
    // One that was deleted answers every question about a registration as if that were gone.
    if (!(await holdsRows(hubOf(app, run.request.sourceHub), within(app, PATIENCE_MS)))) return 'silent';
    for (const record of records) {
      if ((await findInSource(record)).length === 0) continue;
      app.log.warn('withdrawals stopped: the source still holds one of them', { runId: run.id, shard });
      return 'has one';
    }
    return 'has none';
  });
}

function sampleOf(doomed: readonly number[]): number[] {
  const step = Math.max(1, Math.floor(doomed.length / ASKED));
  return doomed.filter((_, index) => index % step === 0).slice(0, ASKED);
}
