import { platformOf, type RecordOfRows } from '../../core/registration/record.ts';
import type { RecordFailure } from '../../core/restore/plan/outcomes.ts';
import type { RestoreRun } from '../../core/run/run.ts';
import type { App } from '../app.ts';
import { findRun } from '../runs/store.ts';
import { readManifest, readSnapshotShard } from '../snapshots/store.ts';
import { documents } from '../stored/documents.ts';
import { nameOfKey, newestResults, PAGE, parsePosition } from './outcomes/listed.ts';

interface FailureView {
  readonly record: string;
  /** `undefined` when its snapshot was deleted. */
  readonly platform: string | undefined;
  readonly code: string;
  /** HTTP status of the hub's refusal, where there was one. */
  readonly status: number | undefined;
  /** What the hub said of it. */
  readonly words: string | undefined;
}

/** The records a restore could not bring back, 100 a page, in the snapshot's order. `from` is the `next` of the page before. */
export async function readFailures(app: App, runId: string, from = '0:0') {
  const run = await findRun(app, 'restore', runId);
  const { shard: firstShard, index: firstIndex } = parsePosition(from);
  const value: FailureView[] = [];
  const results = await newestResults(app, run);
  for (const { shard, name } of results.filter((one) => hasFailed(one) && one.shard >= firstShard)) {
    const failures = (await documents.restoredShard.find(app, name))?.value.failures ?? [];
    const start = shard === firstShard ? firstIndex : 0;
    const taken = failures.slice(start, start + PAGE - value.length);
    if (taken.length > 0) value.push(...(await describe(app, run, shard, taken)));
    if (value.length === PAGE) return { value, next: `${shard}:${start + taken.length}` };
  }
  return { value, next: undefined };
}

function hasFailed({ facts }: Awaited<ReturnType<typeof newestResults>>[number]): boolean {
  return Number(facts['failed'] ?? 0) > 0;
}

function recordOf(record: RecordOfRows | undefined): Pick<FailureView, 'record' | 'platform'> {
  return { record: nameOfKey(record?.key), platform: record && platformOf(record) };
}

async function describe(
  app: App,
  run: RestoreRun,
  shard: number,
  failures: readonly RecordFailure[],
): Promise<FailureView[]> {
  const manifest = await readManifest(app, run.request.sourceHub, run.request.snapshotId);
  const records = manifest === undefined ? [] : await readSnapshotShard(app, manifest, shard);
  return failures.map(({ index, code, status, words }) => ({
    ...recordOf(records[index]),
    code,
    status,
    words,
  }));
}
