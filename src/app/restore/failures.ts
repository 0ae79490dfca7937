import { DrError } from '../../core/errors.ts';
import { passOfName, phaseFolder, shardOfName } from '../../core/paths.ts';
import type { RecordFailure } from '../../core/restore/outcomes.ts';
import type { RestoreRun } from '../../core/run/run.ts';
import type { App } from '../app.ts';
import { findRun } from '../runs/store.ts';
import { readManifest, readSnapshotShard } from '../snapshots/store.ts';
import { sha256Hex } from '../stored/codec.ts';
import { documents } from '../stored/documents.ts';

const PAGE = 100;

interface FailureView {
  /** `installation {id}`, or `device {platform} {first digits of the handle's SHA-256}`: never a device token. */
  readonly record: string;
  readonly code: string;
  /** HTTP status of the hub's refusal, where there was one. */
  readonly status: number | undefined;
}

/** The records a restore could not bring back, 100 a page, in the snapshot's order. `from` is the `next` of the page before. */
export async function readFailures(app: App, runId: string, from = '0:0') {
  const run = await findRun(app, 'restore', runId);
  const { shard: firstShard, index: firstIndex } = parsePosition(from);
  const value: FailureView[] = [];
  const results = await newestResults(app, run);
  for (const { shard, name } of results.filter((one) => one.failed > 0 && one.shard >= firstShard)) {
    const failures = (await documents.restoredShard.find(app, name))?.value.failures ?? [];
    const start = shard === firstShard ? firstIndex : 0;
    const taken = failures.slice(start, start + PAGE - value.length);
    if (taken.length > 0) value.push(...(await describe(app, run, shard, taken)));
    if (value.length === PAGE) return { value, next: `${shard}:${start + taken.length}` };
  }
  return { value, next: undefined };
}

function parsePosition(text: string): { shard: number; index: number } {
  const match = /^(\d{1,4}):(\d{1,9})$/.exec(text);
  if (match !== null) return { shard: Number(match[1]), index: Number(match[2]) };
  throw new DrError('BadRequest', "The parameter 'from' must be the 'next' of a page before.", { target: 'from' });
}

/** Of each shard, in order, the result of its newest pass: it carries the failures of those before. */
async function newestResults(app: App, run: RestoreRun) {
  const newest = new Map<number, { readonly shard: number; readonly name: string; readonly failed: number }>();
  const entries = await app.blobs.list(phaseFolder('restore', run.id, 'reconcile'));
  const results = entries.filter(({ name }) => shardOfName(name) >= 0);
  for (const { name, facts } of results.toSorted((a, b) => passOfName(a.name) - passOfName(b.name))) {
    const shard = shardOfName(name);
    newest.set(shard, { shard, name, failed: Number(facts['failed'] ?? 0) });
  }
  return [...newest.values()].sort((a, b) => a.shard - b.shard);
}

async function describe(
  app: App,
  run: RestoreRun,
  shard: number,
  failures: readonly RecordFailure[],
): Promise<FailureView[]> {
  const manifest = await readManifest(app, run.request.sourceHub, run.request.snapshotId);
  const records = manifest === undefined ? [] : await readSnapshotShard(app, manifest, shard);
  return failures.map(({ index, code, status }) => ({ record: nameOf(records[index]?.key), code, status }));
}

function nameOf(key: string | undefined): string {
  if (key === undefined) return 'unknown: its snapshot was deleted';
  if (key.startsWith('i:')) return `installation ${key.slice(2)}`;
  const [, platform = '', ...handle] = key.split(':');
  return `device ${platform} ${sha256Hex(handle.join(':')).slice(0, 12)}`;
}
