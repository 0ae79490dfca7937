import { platformOf, type RecordOfRows } from '../../core/registration/record.ts';
import type { RecordFailure } from '../../core/restore/plan/outcomes.ts';
import type { RestoreRun } from '../../core/run/run.ts';
import type { App } from '../app.ts';
import { findRun } from '../runs/store.ts';
import { readManifest, readSnapshotShard } from '../snapshots/store.ts';
import { documents } from '../stored/documents.ts';
import { nameOfKey, newestResults, PAGE, parsePosition } from './outcomes/listed.ts';

export interface FailureView {
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
  for (const { shard, name } of await shardsWithFailures(app, run, firstShard)) {
    const failures = await failuresIn(app, name);
    const start = shard === firstShard ? firstIndex : 0;
    const taken = failures.slice(start, start + PAGE - value.length);
    if (taken.length > 0) value.push(...(await describeFailures(app, run, shard, taken)));
    if (value.length === PAGE) return { value, next: `${shard}:${start + taken.length}` };
  }
  return { value, next: undefined };
}

/** From that shard on, in order: where the result of each is. */
export async function shardsWithFailures(app: App, run: RestoreRun, first: number) {
  const results = await newestResults(app, run);
  return results.filter(({ shard, facts }) => shard >= first && Number(facts['failed'] ?? 0) > 0);
}

export async function failuresIn(app: App, name: string): Promise<readonly RecordFailure[]> {
  return (await documents.restoredShard.find(app, name))?.value.failures ?? [];
}

function recordOf(record: RecordOfRows | undefined): Pick<FailureView, 'record' | 'platform'> {
  return { record: nameOfKey(record?.key), platform: record && platformOf(record) };
}

/** Of one shard; what its records are is read from the snapshot, as long as that is there. */
export async function describeFailures(
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
