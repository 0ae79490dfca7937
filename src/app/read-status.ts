import type { Manifest } from '../core/manifest.ts';
import { findRisks, isBackupMissed, type ReadinessFacts, verdictOf } from '../core/readiness.ts';
import { type BackupRun, isOver } from '../core/run.ts';
import type { App } from './app.ts';
import { type Marks, newestProofAt, newestProven, type Proven, readMarks } from './marks.ts';
import { type ProbedTarget, probeTarget } from './probe-target.ts';
import { type RestorePace, readPace, readSeen } from './restore-notes.ts';
import { listRuns } from './run-store.ts';
import { searchLatest } from './snapshots.ts';
import { viewBackup, viewRestore } from './views.ts';

/** The newest backup may still run, and those before it may have been cancelled. */
const BACKUPS_READ = 4;

/**
 * "If we failed over now": the readiness card. About fifteen storage requests and, once a minute, a probe of the
 * target; none of them grows with the hub.
 */
export async function readStatus(app: App) {
  const hub = app.primary.ref;
  const [found, marks, backups, restores, pace, seen, probed] = await Promise.all([
    searchLatest(app, hub),
    readMarks(app, hub),
    listRuns(app, 'backup', BACKUPS_READ),
    listRuns(app, 'restore', 1),
    readPace(app),
    readSeen(app, app.secondary.ref),
    probeTarget(app),
  ]);
  const nowMs = app.clock.now();
  const latest = found.manifest;
  const backupRuns = backups.flatMap((run) => (run.kind === 'backup' ? [run] : []));
  const target = viewTarget(probed, seen?.devices);
  const proven = newestProven(marks);
  const facts: ReadinessFacts = {
    nowMs,
    backupIntervalMs: app.policy.backupIntervalMs,
    latest: latest === undefined ? undefined : factsOfLatest(latest, marks.get(latest.id)),
    passedOver: found.faults.map(({ message }) => message),
    lastEnded: factsOfEnded(backupRuns.find((run) => isOver(run) && run.status !== 'Canceled')),
    lastStartedAtMs: toEpoch(backupRuns[0]?.createdAt),
    provenAtMs: newestProofAt(marks),
    drillFailure: undefined,
    target: { ...target, ...(probed.fault === undefined ? {} : { fault: probed.fault }) },
  };
  const findings = findRisks(facts);
  const [lastBackup, lastRestore] = [backupRuns[0], restores[0]];
  return {
    verdict: verdictOf(findings),
    reason:
      findings[0]?.message ?? 'The newest snapshot is good and young enough, one is proven, and the target is ready.',
    findings,
    primary: hub,
    secondary: app.secondary.ref,
    backupIntervalSeconds: app.policy.backupIntervalMs / 1000,
    lastBackup: lastBackup === undefined ? null : await viewBackup(app, lastBackup),
    lastRestore: lastRestore?.kind === 'restore' ? await viewRestore(app, lastRestore) : null,
    latestGoodSnapshot: latest === undefined ? null : viewLatest(latest, nowMs),
    provenSnapshot: proven === undefined ? null : viewProven(proven, nowMs),
    atRisk: latest === undefined ? null : viewAtRisk(latest, nowMs),
    predictedRestore: latest === undefined || pace === undefined ? null : predict(latest, pace),
    target,
    undeliverable: undeliverableOf(latest),
    missedBackups: {
      expectedEverySeconds: app.policy.backupIntervalMs / 1000,
      lastStartedAt: lastBackup?.createdAt ?? null,
      missed: isBackupMissed(facts),
    },
  };
}

export type Status = Awaited<ReturnType<typeof readStatus>>;

function factsOfLatest(latest: Manifest, marks: Marks | undefined): ReadinessFacts['latest'] {
  const { proof } = marks ?? {};
  return {
    id: latest.id,
    takenAtMs: Date.parse(latest.readStartedAt),
    records: latest.counts.records,
    damagedAt: proof === undefined || proof.isSound ? undefined : proof.at,
  };
}

function factsOfEnded(run: BackupRun | undefined): ReadinessFacts['lastEnded'] {
  if (run === undefined) return undefined;
  const isSuspect = run.result?.health === 'suspect';
  return {
    id: run.id,
    failure: run.status === 'Failed' ? (run.error?.message ?? 'The log says why.') : undefined,
    suspectBecause: isSuspect ? run.result?.healthReasons.join('; ') : undefined,
  };
}

function viewLatest(latest: Manifest, nowMs: number) {
  return {
    id: latest.id,
    ageSeconds: secondsSince(latest.readStartedAt, nowMs),
    readStartedAt: latest.readStartedAt,
    readFinishedAt: latest.readFinishedAt,
    counts: latest.counts,
  };
}

function viewProven({ id, proof }: Proven, nowMs: number) {
  return { id, how: proof.how, at: proof.at, ageSeconds: secondsSince(proof.readStartedAt, nowMs) };
}

/** What would be lost: what changed since the newest good snapshot was begun. */
function viewAtRisk(latest: Manifest, nowMs: number) {
  const seconds = secondsSince(latest.readStartedAt, nowMs);
  const minutes = Math.round(seconds / 6) / 10;
  return { minutes, devicesEstimate: null, basis: 'age of the newest good snapshot; churn is not known yet' };
}

function predict(latest: Manifest, { recordsPerSecond, basis, runId }: RestorePace) {
  return { seconds: Math.ceil(latest.counts.records / recordsPerSecond), recordsPerSecond, basis, runId };
}

function viewTarget(probed: ProbedTarget, devicesNow: number | undefined) {
  const { reachable, rights, tier, deviceLimit, checkedAt, latencyMs } = probed;
  const room = deviceLimit === null || devicesNow === undefined ? null : Math.max(0, deviceLimit - devicesNow);
  return { reachable, rights, tier, deviceLimit, devicesNow: devicesNow ?? null, room, checkedAt, latencyMs };
}

/**
 * Devices a push will not reach even when they are restored. Whether the target holds push credentials cannot be seen
 * through its own API: descriptions of hubs that were recorded show keys and rules only.
 */
function undeliverableOf(latest: Manifest | undefined) {
  const registrations = latest?.counts.byPlatform['Gcm'] ?? 0;
  if (registrations === 0) return [];
  const reason = 'FCM legacy stopped delivering in 2024: these apps have to register as FcmV1.';
  return [{ platform: 'Gcm', registrations, reason }];
}

function secondsSince(instant: string, nowMs: number): number {
  return Math.round((nowMs - Date.parse(instant)) / 1000);
}

function toEpoch(instant: string | undefined): number | undefined {
  return instant === undefined ? undefined : Date.parse(instant);
}
