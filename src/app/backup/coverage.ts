import { countCoverage } from '../../core/baseline/coverage.ts';
import { isSameHub } from '../../core/paths.ts';
import type { BlobFacts, HubRef } from '../../core/ports.ts';
import { readAtOf } from '../../core/restore/plan/circumstances.ts';
import { wrote } from '../../core/run/amounts.ts';
import type { BackupRun, RestoreRun } from '../../core/run/run.ts';
import type { Manifest } from '../../core/snapshot/manifest.ts';
import { type App, orWarn } from '../app.ts';
import { openBaselineLeftBy } from '../baseline/store.ts';
import { readRoles } from '../runs/roles.ts';
import { listWritingRestores, readRun } from '../runs/store.ts';
import { isOperatorsId } from '../runs/sync-rests.ts';
import { putMark } from '../snapshots/marks.ts';
import type { ShardCounter } from './churn.ts';

/** More restores into a hub in use than anyone starts. */
const RESTORES_READ = 50;

/**
 * What a backup of the hub in use shows of the devices that the hub before held, where a restore switched the two. Like
 * the churn it is for the readiness card only. `undefined` where there was no such switch, or what it left is not known.
 */
export async function openCoverage(app: App, run: BackupRun): Promise<ShardCounter | undefined> {
  const orNothing = <T>(work: () => Promise<T>) => orWarn(app, 'coverage not counted', { runId: run.id }, work);
  const opened = await orNothing(async () => {
    const restore = await findSwitch(app, run.hub);
    const leftIn = restore && (await openBaselineLeftBy(app, restore, run.shardCount));
    return restore && leftIn && { restore, leftIn };
  });
  if (opened === undefined) return undefined;
  const { restore, leftIn } = opened;
  return async (shard, fingerprints) => {
    const counts = await orNothing(async () => {
      const left = await leftIn(shard);
      if (left === undefined) return undefined;
      const places = fingerprints.places();
      const versionNow = (keyHash: number): number | undefined => {
        const place = places.get(keyHash);
        return place === undefined ? undefined : fingerprints.versionHashAt(place);
      };
      return countCoverage([...left.keyHashes()].map(left.get), versionNow, readAtOf(restore));
    });
    if (counts === undefined) return {};
    const { registered, restored, held } = counts;
    return { covers: restore.id, registered: `${registered}`, restored: `${restored}`, held: `${held}` };
  };
}

/** Adds the shards' facts up and keeps the sum beside the snapshot. */
export async function storeCoverage(app: App, manifest: Manifest, facts: readonly BlobFacts[]): Promise<void> {
  const [{ covers: of } = {}] = facts;
  if (of === undefined || facts.some((one) => one['covers'] !== of)) return;
  const restore = await readRun(app, 'restore', of);
  if (restore === undefined) return;
  // Shards of an older version of the app do not say what was held.
  const sum = (name: string): number => facts.reduce((total, one) => total + Number(one[name] ?? 0), 0);
  const { retried, repaired } = await countWrittenSince(app, restore);
  const [changed, total] = [sum('registered'), restore.recordCount];
  // What the switch had left out, and its retries have put there since, is not among what it left.
  const leftOut = total - Math.max(sum('held'), changed + sum('restored'));
  const added = Math.min(retried, Math.max(0, leftOut));
  // What runs of ours wrote since is no device's own word. It is not looked up which records these were.
  const rewritten = Math.min(changed, retried - added + repaired) + added;
  const registered = changed + added - rewritten;
  const counts = { of, total, registered, restored: sum('restored') + rewritten };
  await putMark(app, manifest, 'coverage', rewritten > 0 ? { ...counts, rewritten } : counts);
}

/** The restore that made the hub the one in use. */
async function findSwitch(app: App, hub: HubRef): Promise<RestoreRun | undefined> {
  const { role } = await readRoles(app);
  const runId = role.history.at(-1)?.runId;
  return runId === undefined || !isSameHub(role.active, hub) ? undefined : readRun(app, 'restore', runId);
}

/** Records that retries of the switch, and that all other runs, have written to its hub since. */
async function countWrittenSince(app: App, { id, hub, createdAt }: RestoreRun) {
  const restores = await listWritingRestores(app, RESTORES_READ, isOperatorsId);
  const since = restores.filter((run) => run.id !== id && isSameHub(run.hub, hub) && run.createdAt >= createdAt);
  const ofSwitch = new Set([id]);
  let [retried, repaired] = [0, 0];
  for (const { id: runId, request, result } of since.sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1))) {
    const written = result === undefined ? 0 : wrote(result.counts) + result.counts.putBack;
    if (request.purpose === 'retry' && ofSwitch.has(request.of ?? '')) {
      ofSwitch.add(runId);
      retried += written;
    } else repaired += written;
  }
  return { retried, repaired };
}
