import { type Drill, isDrillRunId } from '../core/drill.ts';
import type { Manifest } from '../core/manifest.ts';
import { type Finding, findRisks, type ReadinessFacts } from '../core/readiness.ts';
import { type BackupRun, isOver, type RestoreRun } from '../core/run.ts';
import type { App } from './app.ts';
import { readNewestDrills } from './drill-store.ts';
import { type Marks, newestProofAt, readMarks } from './marks.ts';
import { type ProbedTarget, probeTarget } from './probe-target.ts';
import { readSeen, type SeenHub } from './restore-notes.ts';
import { listRuns } from './run-store.ts';
import { searchLatest } from './snapshots.ts';

/** The newest run may still go on, and those before it may have been cancelled. */
const RUNS_READ = 4;

/** Everything the verdict rests on, and what it comes to. */
export interface Readiness {
  readonly facts: ReadinessFacts;
  readonly findings: readonly Finding[];
  readonly latest: Manifest | undefined;
  readonly marks: ReadonlyMap<string, Marks>;
  /** Newest first. */
  readonly backups: readonly BackupRun[];
  readonly restores: readonly RestoreRun[];
  readonly probed: ProbedTarget;
  readonly seen: SeenHub | undefined;
  /** The newest that ended. */
  readonly lastDrill: Drill | undefined;
}

/**
 * Would a failover now go well? About a dozen storage requests and, once a minute, a probe of the target; none of them
 * grows with the hub.
 */
export async function judgeReadiness(app: App): Promise<Readiness> {
  const hub = app.primary.ref;
  const [{ manifest: latest, faults }, marks, backupRuns, restoreRuns, seen, probed, { lastEnded: lastDrill }] =
    await Promise.all([
      searchLatest(app, hub),
      readMarks(app, hub),
      listRuns(app, 'backup', RUNS_READ),
      listRuns(app, 'restore', RUNS_READ, (id) => !isDrillRunId(id)),
      readSeen(app, app.secondary.ref),
      probeTarget(app),
      readNewestDrills(app),
    ]);
  const backups = backupRuns.flatMap((run) => (run.kind === 'backup' ? [run] : []));
  const restores = restoreRuns.flatMap((run) => (run.kind === 'restore' ? [run] : []));
  const { reachable, rights, deviceLimit, fault } = probed;
  const facts: ReadinessFacts = {
    nowMs: app.clock.now(),
    backupIntervalMs: app.policy.backupIntervalMs,
    latest: latest === undefined ? undefined : factsOfLatest(latest, marks.get(latest.id)),
    passedOver: faults.map(({ message }) => message),
    lastEnded: factsOfEnded(backups.find((run) => isOver(run) && run.status !== 'Canceled')),
    lastStartedAtMs: backups[0] === undefined ? undefined : Date.parse(backups[0].createdAt),
    provenAtMs: newestProofAt(marks),
    drillFailure: lastDrill?.failure,
    target: {
      reachable,
      rights,
      deviceLimit,
      devicesNow: seen?.devices ?? null,
      ...(fault === undefined ? {} : { fault }),
    },
  };
  return { facts, findings: findRisks(facts), latest, marks, backups, restores, probed, seen, lastDrill };
}

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
