import { viewCoverage } from '../../core/baseline/coverage.ts';
import { isOver, startOfRunId, type VerificationRun } from '../../core/run/run.ts';
import { amountOf } from '../../core/snapshot/amount.ts';
import type { Manifest } from '../../core/snapshot/manifest.ts';
import type { App } from '../app.ts';
import { readLive, signsOf } from '../runs/living-steps.ts';
import { findRun } from '../runs/store.ts';
import { viewCommon } from '../runs/view.ts';
import { type Marks, noMarks, readMarks, readMarksOfPair } from './marks.ts';
import { findSnapshot, type ListedSnapshot, listSnapshots } from './store.ts';
import { sumVerification } from './verify.ts';

/** What the HTTP API shows of snapshots and their verifications. Fields are contract: add, never rename. */

export async function listSnapshotViews(app: App) {
  const [listed, marksOf] = await Promise.all([listSnapshots(app), readMarksOfPair(app)]);
  return listed.toSorted((a, b) => readAt(b) - readAt(a)).map((one) => viewListed(one, marksOf(one)));
}

/** By its id, where it cannot be used: a backup may wait before it reads. */
function readAt({ id, manifest }: ListedSnapshot): number {
  return manifest === undefined ? (startOfRunId(id) ?? 0) : Date.parse(manifest.readStartedAt);
}

export async function readSnapshotView(app: App, snapshotId: string) {
  return viewSnapshot(app, await findSnapshot(app, snapshotId));
}

export async function viewSnapshot(app: App, manifest: Manifest) {
  const marks = await readMarks(app, manifest.hub, manifest.id);
  return { ...viewManifest(manifest, marks.get(manifest.id)), shards: manifest.shards };
}

function viewListed({ hub, id, manifest, fault }: ListedSnapshot, marks: Marks | undefined) {
  if (manifest !== undefined) return viewManifest(manifest, marks);
  const error = { code: fault?.code ?? 'SnapshotCorrupt', message: fault?.message ?? '' };
  return { id, hub, health: 'unusable', error, ...viewMarks(marks) };
}

function viewManifest({ shards, toolVersion: _tool, ...shown }: Manifest, marks?: Marks) {
  return {
    ...shown,
    amount: amountOf(shown.counts),
    bytes: shards.reduce((sum, shard) => sum + shard.bytes, 0),
    ...viewMarks(marks),
  };
}

function viewMarks({ isPinned, isUndone, proof, churn, coverage }: Marks = noMarks) {
  const shown = proof?.isSound ? { how: proof.how, at: proof.at, runId: proof.runId } : null;
  return {
    pinned: isPinned,
    // `latest` passes over it.
    undone: isUndone === true,
    proof: shown,
    churn: churn ?? null,
    coverage: coverage ? viewCoverage(coverage) : null,
  };
}

export async function readVerificationView(app: App, runId: string) {
  return viewVerification(app, await findRun(app, 'verification', runId));
}

export async function viewVerification(app: App, run: VerificationRun) {
  const { counts, damagedArtefacts } = run.result ?? (await sumVerification(app, run));
  const endedAt = run.finishedAt === undefined ? app.world.storageNow() : Date.parse(run.finishedAt);
  const seconds = Math.max((endedAt - Date.parse(run.createdAt)) / 1000, 0.001);
  return {
    ...viewCommon(run, isOver(run) ? {} : signsOf(app, await readLive(app, run))),
    snapshot: { id: run.snapshotId, hub: run.hub },
    counts,
    damagedArtefacts,
    recordsPerSecond: Math.round((counts.total - counts.pending) / seconds),
  };
}
