/** A backup that is half an interval late is worth a look; one that misses a day is no protection. */
const LATE_INTERVALS = 1.5;
const USELESS_INTERVALS = 3;
const DAY_MS = 86_400_000;
/** Drills are weekly unless set otherwise: a day more, so that the next one has time to prove its snapshot. */
const PROOF_DAYS = 8;
/** A host that restarts, or a check that fails once, is no finding. */
const WATCHDOG_PATIENCE_MS = 5 * 60_000;

export type Verdict = 'Ready' | 'AtRisk' | 'NotReady';

/** `stop`: a failover now would not bring the devices back. `risk`: it would, but something has to be looked at. */
export interface Finding {
  readonly level: 'stop' | 'risk';
  readonly code: string;
  readonly message: string;
  readonly runId?: string;
  readonly snapshotId?: string;
}

/** What is known of the hub a restore would write to. */
export interface TargetState {
  readonly reachable: boolean;
  /** `null`: not known, because it could not be asked. */
  readonly rights: boolean | null;
  readonly deviceLimit: number | null;
  readonly devicesNow: number | null;
  /** Why it could not be used, in the words of the hub port's error. */
  readonly fault?: { readonly code: string; readonly message: string };
}

/** Everything the verdict depends on; instants in epoch ms. */
export interface ReadinessFacts {
  readonly nowMs: number;
  readonly backupIntervalMs: number;
  readonly latest:
    | {
        readonly id: string;
        readonly takenAtMs: number;
        readonly records: number;
        readonly damagedAt: string | undefined;
      }
    | undefined;
  /** Newer snapshots that cannot be used, and why. */
  readonly passedOver: readonly string[];
  /** The newest backup that ended, well or not; a cancelled one tells nothing. */
  readonly lastEnded:
    | { readonly id: string; readonly failure: string | undefined; readonly suspectBecause: string | undefined }
    | undefined;
  readonly lastStartedAtMs: number | undefined;
  readonly provenAtMs: number | undefined;
  readonly drillFailure: string | undefined;
  readonly target: TargetState;
  /** When the watchdog last looked; not known before its first look. */
  readonly watchedAtMs: number | undefined;
  readonly watchIntervalMs: number;
}

/** All that speaks against a failover now, worst first. */
export function findRisks(facts: ReadinessFacts): Finding[] {
  const found = [
    ...judgeLatest(facts),
    ...judgeTarget(facts),
    ...judgeBackups(facts),
    ...judgeProof(facts),
    ...judgeWatchdog(facts),
  ];
  return [...found.filter(({ level }) => level === 'stop'), ...found.filter(({ level }) => level === 'risk')];
}

export function verdictOf(findings: readonly Finding[]): Verdict {
  if (findings.some(({ level }) => level === 'stop')) return 'NotReady';
  return findings.length > 0 ? 'AtRisk' : 'Ready';
}

/** True when the timer should have started a backup by now and did not. */
export function isBackupMissed({ nowMs, lastStartedAtMs, backupIntervalMs }: ReadinessFacts): boolean {
  return lastStartedAtMs !== undefined && nowMs - lastStartedAtMs > LATE_INTERVALS * backupIntervalMs;
}

/** `90 seconds`, `45 minutes`, `30 hours`, `12 days`. */
export function describeDuration(durationMs: number): string {
  const minutes = durationMs / 60_000;
  if (minutes < 2) return `${Math.round(durationMs / 1000)} seconds`;
  if (minutes < 120) return `${Math.round(minutes)} minutes`;
  return minutes < 4 * 1_440 ? `${Math.round(minutes / 60)} hours` : `${Math.round(minutes / 1_440)} days`;
}

function judgeLatest({ nowMs, backupIntervalMs, latest, passedOver }: ReadinessFacts): Finding[] {
  if (latest === undefined) {
    return [stop('NoGoodSnapshot', 'There is no good snapshot. Back up now: POST /api/backups.')];
  }
  const ageMs = nowMs - latest.takenAtMs;
  const late = `The newest good snapshot is ${describeDuration(ageMs)} old; one is due every ${describeDuration(backupIntervalMs)}.`;
  const found: Finding[] = [];
  if (latest.damagedAt !== undefined) {
    found.push(
      stop(
        'SnapshotCorrupt',
        `The newest good snapshot was found damaged at ${latest.damagedAt}. Back up now: POST /api/backups; until then restore one before ${latest.id}.`,
      ),
    );
  }
  if (ageMs > Math.max(DAY_MS, USELESS_INTERVALS * backupIntervalMs)) found.push(stop('SnapshotTooOld', late));
  else if (ageMs > LATE_INTERVALS * backupIntervalMs) found.push(risk('SnapshotOld', late));
  for (const warning of passedOver) found.push(risk('SnapshotPassedOver', warning));
  return found;
}

function judgeTarget({ latest, target }: ReadinessFacts): Finding[] {
  const { fault, deviceLimit, devicesNow } = target;
  if (fault !== undefined) return [stop(fault.code, `A restore could not begin. ${fault.message}`)];
  const records = latest?.records ?? 0;
  if (deviceLimit === null) return [];
  if (records > deviceLimit) {
    return [
      stop(
        'TargetTooSmall',
        `The newest good snapshot holds ${records} devices; the target's tier takes ${deviceLimit}. Raise the tier of its namespace.`,
      ),
    ];
  }
  if (devicesNow === null || records + devicesNow <= deviceLimit) return [];
  return [
    risk(
      'TargetMayBeFull',
      `The target held ${devicesNow} devices when it was last listed; with the snapshot's ${records} that is more than the ${deviceLimit} its tier takes, unless they are the same ones.`,
    ),
  ];
}

function judgeBackups(facts: ReadinessFacts): Finding[] {
  const { lastEnded, lastStartedAtMs, nowMs, backupIntervalMs } = facts;
  const found: Finding[] = [];
  if (lastEnded?.failure !== undefined) {
    const message = `The newest backup, ${lastEnded.id}, failed. ${lastEnded.failure}`;
    found.push({ ...risk('BackupFailed', message), runId: lastEnded.id });
  }
  if (lastEnded?.suspectBecause !== undefined) {
    const message = `The newest snapshot, ${lastEnded.id}, is suspect: ${lastEnded.suspectBecause}. An older one is latest.`;
    found.push({ ...risk('SnapshotSuspect', message), snapshotId: lastEnded.id });
  }
  if (isBackupMissed(facts)) {
    const since = describeDuration(nowMs - (lastStartedAtMs ?? nowMs));
    found.push(
      risk(
        'BackupMissed',
        `No backup has started for ${since}; one is due every ${describeDuration(backupIntervalMs)}. Look whether the timer runs and what the running backup does: GET /api/backups.`,
      ),
    );
  }
  return found;
}

function judgeProof({ latest, provenAtMs, drillFailure, nowMs }: ReadinessFacts): Finding[] {
  const found: Finding[] = [];
  if (drillFailure !== undefined) found.push(risk('DrillFailed', `The last drill failed: ${drillFailure}`));
  if (latest === undefined) return found;
  if (provenAtMs === undefined) {
    found.push(
      risk('NotProven', 'No snapshot has been proven yet. Prove the newest: POST /api/snapshots/latest/verify.'),
    );
  } else if (nowMs - provenAtMs > PROOF_DAYS * DAY_MS) {
    found.push(
      risk(
        'ProofOld',
        `No snapshot has been proven for ${describeDuration(nowMs - provenAtMs)}. Prove the newest: POST /api/snapshots/latest/verify.`,
      ),
    );
  }
  return found;
}

/** Nothing else reports it: without the watchdog a stuck run stays stuck, and no alert is raised or repeated. */
function judgeWatchdog({ watchedAtMs, watchIntervalMs, nowMs }: ReadinessFacts): Finding[] {
  const silentMs = nowMs - (watchedAtMs ?? nowMs);
  if (silentMs <= Math.max(WATCHDOG_PATIENCE_MS, USELESS_INTERVALS * watchIntervalMs)) return [];
  return [
    risk(
      'WatchdogSilent',
      `The watchdog has not looked for ${describeDuration(silentMs)}; it is due every ${describeDuration(watchIntervalMs)}. Stuck runs stay stuck and no alert is sent. Check whether the timers run, and what the watchdog's log says.`,
    ),
  ];
}

const stop = (code: string, message: string): Finding => ({ level: 'stop', code, message });
const risk = (code: string, message: string): Finding => ({ level: 'risk', code, message });
