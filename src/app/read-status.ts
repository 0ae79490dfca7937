import type { Manifest } from '../core/manifest.ts';
import { isBackupMissed, verdictOf } from '../core/readiness.ts';
import { listOpenAlerts } from './alerts.ts';
import type { App } from './app.ts';
import type { Churn } from './churn.ts';
import { viewLastDrill } from './drills.ts';
import { judgeReadiness } from './judge-readiness.ts';
import { newestProven, type Proven } from './marks.ts';
import type { ProbedTarget } from './probe-target.ts';
import { type RestorePace, readPace } from './restore-notes.ts';
import { viewRestore } from './view-restore.ts';
import { viewBackup } from './views.ts';

const ALL_WELL = 'The newest snapshot is good and young enough, one is proven, and the target is ready.';

/** "If we failed over now": the readiness card. */
export async function readStatus(app: App) {
  const [readiness, pace, open] = await Promise.all([judgeReadiness(app), readPace(app), listOpenAlerts(app)]);
  const { facts, findings, latest, marks, backups, restores, probed, seen, lastDrill } = readiness;
  const { nowMs } = facts;
  const proven = newestProven(marks);
  const [lastBackup, lastRestore] = [backups[0], restores[0]];
  const expectedEverySeconds = app.policy.backupIntervalMs / 1000;
  return {
    verdict: verdictOf(findings),
    reason: findings[0]?.message ?? ALL_WELL,
    findings,
    primary: app.primary.ref,
    secondary: app.secondary.ref,
    backupIntervalSeconds: expectedEverySeconds,
    lastBackup: lastBackup === undefined ? null : await viewBackup(app, lastBackup),
    lastRestore: lastRestore === undefined ? null : await viewRestore(app, lastRestore),
    latestGoodSnapshot: latest === undefined ? null : viewLatest(latest, nowMs),
    provenSnapshot: proven === undefined ? null : viewProven(proven, nowMs),
    atRisk: latest === undefined ? null : viewAtRisk(latest, marks.get(latest.id)?.churn, nowMs),
    predictedRestore: latest === undefined || pace === undefined ? null : predict(latest, pace),
    target: viewTarget(probed, seen?.devices),
    undeliverable: undeliverableOf(latest),
    missedBackups: {
      expectedEverySeconds,
      lastStartedAt: lastBackup?.createdAt ?? null,
      missed: isBackupMissed(facts),
    },
    lastDrill: lastDrill === undefined ? null : viewLastDrill(lastDrill),
    alerts: { heartbeatUrl: app.notifier.hasHeartbeat, webhook: app.notifier.hasWebhook, open },
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

/** What would be lost: what was added or changed since the newest good snapshot was begun, if things go on as before. */
function viewAtRisk(latest: Manifest, churn: Churn | undefined, nowMs: number) {
  const age = secondsSince(latest.readStartedAt, nowMs);
  const minutes = Math.round(age / 6) / 10;
  if (churn === undefined || churn.seconds <= 0) {
    return { minutes, devicesEstimate: null, basis: 'no two snapshots were compared yet' };
  }
  const { added, changed, seconds, sinceSnapshotId } = churn;
  const basis = `${added} added and ${changed} changed in the ${seconds} seconds since snapshot ${sinceSnapshotId}`;
  return { minutes, devicesEstimate: Math.round(((added + changed) / seconds) * age), basis };
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
