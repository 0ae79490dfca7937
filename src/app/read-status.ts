import type { App } from './app.ts';
import { listRuns } from './run-store.ts';
import { findLatestGood } from './snapshots.ts';
import { viewBackup, viewRestore } from './views.ts';

/** A backup that is half an interval late is worth a look; one that misses a day is no protection. */
const LATE_INTERVALS = 1.5;
const USELESS_INTERVALS = 3;
const DAY_MS = 86_400_000;

export type Verdict = 'Ready' | 'AtRisk' | 'NotReady';

/** "If we failed over now": the newest good snapshot, its age, what ran last, and a verdict with its reason. */
export async function readStatus(app: App) {
  const [latest, backups, restores] = await Promise.all([
    findLatestGood(app, app.primary.ref),
    listRuns(app, 'backup', 1),
    listRuns(app, 'restore', 1),
  ]);
  const takenAtMs = latest === undefined ? undefined : Date.parse(latest.readStartedAt);
  const ageMs = takenAtMs === undefined ? undefined : app.clock.now() - takenAtMs;
  const lastBackup = backups[0];
  const lastRestore = restores[0];
  return {
    ...judge(ageMs, app.policy.backupIntervalMs),
    primary: app.primary.ref,
    secondary: app.secondary.ref,
    latestGoodSnapshot:
      latest === undefined || ageMs === undefined
        ? null
        : {
            id: latest.id,
            ageSeconds: Math.round(ageMs / 1000),
            readStartedAt: latest.readStartedAt,
            readFinishedAt: latest.readFinishedAt,
            counts: latest.counts,
          },
    backupIntervalSeconds: app.policy.backupIntervalMs / 1000,
    lastBackup: lastBackup?.kind === 'backup' ? await viewBackup(app, lastBackup) : null,
    lastRestore: lastRestore?.kind === 'restore' ? await viewRestore(app, lastRestore) : null,
  };
}

function judge(ageMs: number | undefined, intervalMs: number): { verdict: Verdict; reason: string } {
  if (ageMs === undefined) {
    return { verdict: 'NotReady', reason: 'There is no good snapshot. Back up now: POST /api/backups.' };
  }
  const age = describe(ageMs);
  const interval = describe(intervalMs);
  if (ageMs > Math.max(DAY_MS, USELESS_INTERVALS * intervalMs)) {
    return { verdict: 'NotReady', reason: `The newest good snapshot is ${age} old; one is due every ${interval}.` };
  }
  if (ageMs > LATE_INTERVALS * intervalMs) {
    return { verdict: 'AtRisk', reason: `The newest good snapshot is ${age} old; one is due every ${interval}.` };
  }
  return { verdict: 'Ready', reason: `The newest good snapshot is ${age} old.` };
}

function describe(durationMs: number): string {
  const minutes = durationMs / 60_000;
  if (minutes < 2) return `${Math.round(durationMs / 1000)} seconds`;
  return minutes < 120 ? `${Math.round(minutes)} minutes` : `${Math.round(minutes / 60)} hours`;
}
