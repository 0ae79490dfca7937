import type { ReadinessCard } from '../../core/readiness/card.ts';
import { type Finding, findRisks, type ReadinessFacts } from '../../core/readiness/readiness.ts';
import type { ProbedTarget } from '../../core/readiness/tiers.ts';
import { type BackupRun, isOver } from '../../core/run/run.ts';
import type { App } from '../app.ts';

/** Everything the verdict rests on, and what it comes to. */
export interface Readiness {
  readonly facts: ReadinessFacts;
  readonly findings: readonly Finding[];
}

/**
 * Would a failover now go well? Judged for this instant, from what was gathered before and the target as it answers.
 */
export function judgeReadiness(app: App, card: ReadinessCard, probed: ProbedTarget): Readiness {
  const { backups, provenAt, watchedAt } = card;
  const { reachable, rights, deviceLimit, fault } = probed;
  const facts: ReadinessFacts = {
    nowMs: app.world.now(),
    backupIntervalMs: app.policy.backupIntervalMs,
    latest: factsOfLatest(card.latest),
    passedOver: card.passedOver,
    lastEnded: factsOfEnded(backups.find((run) => isOver(run) && run.status !== 'Canceled')),
    lastStartedAtMs: epochOf(backups[0]?.createdAt),
    provenAtMs: epochOf(provenAt),
    drillFailure: card.lastDrill?.failure,
    target: {
      reachable,
      rights,
      deviceLimit,
      devicesNow: card.devicesInTarget ?? null,
      ...(fault === undefined ? {} : { fault }),
    },
    watchedAtMs: epochOf(watchedAt),
    watchIntervalMs: app.policy.watchIntervalMs,
  };
  return { facts, findings: findRisks(facts) };
}

function factsOfLatest(latest: ReadinessCard['latest']): ReadinessFacts['latest'] {
  if (latest === undefined) return undefined;
  const { id, readStartedAt, counts, damagedAt } = latest;
  return { id, takenAtMs: Date.parse(readStartedAt), records: counts.records, damagedAt };
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

function epochOf(instant: string | undefined): number | undefined {
  return instant === undefined ? undefined : Date.parse(instant);
}
