import { fullNameOf, isSameHub } from '../paths.ts';
import type { HubRef } from '../ports.ts';
import { hasChanged, isExchangedSince, type Role } from '../run/role.ts';
import {
  isOlderThanRole,
  noGoodSnapshot,
  roleUnsettled,
  settingsExchanged,
  snapshotOlderThanRole,
  withRole,
} from '../run/role-words.ts';
import { type BackupRun, isOver } from '../run/run.ts';
import { counted, grouped } from '../words.ts';
import { judgeBothHubs } from './both-hubs.ts';
import type { ReadinessCard, StorageRefusal } from './card.ts';
import { describeDuration, type Finding, LATE_INTERVALS, risk, stop } from './finding.ts';
import { type HubMetadata, isSameRegion, withoutCredential } from './metadata.ts';
import { judgeObjectives, type Objectives } from './objectives.ts';
import { judgeStandby } from './standby.ts';
import type { ProbedHubs, ProbeFault } from './tiers.ts';

/** A backup that misses a day is no protection. */
const USELESS_INTERVALS = 3;
const DAY_MS = 86_400_000;
/** Drills are weekly unless set otherwise: a day more, so that the next one has time to prove its snapshot. */
const PROOF_DAYS = 8;
/** A host that restarts, or a check that fails once, is no finding. */
const WATCHDOG_PATIENCE_MS = 5 * 60_000;
/** On a new installation the first look is due by then. */
const NEW_INTERVALS = 2;

export type Verdict = 'Ready' | 'AtRisk' | 'NotReady';

/** Everything the verdict depends on: what was gathered, and the hubs as they answer now. */
export interface ReadinessFacts extends ProbedHubs, Objectives {
  readonly card: ReadinessCard;
  readonly role: Role;
  /** The hub that the settings call primary. */
  readonly primary: HubRef;
  /** Epoch ms. */
  readonly nowMs: number;
  readonly backupIntervalMs: number;
  readonly watchIntervalMs: number;
  readonly standbyDriftPercent: number;
  /** Why the card could not be stored, and whether that holds for all else, too. */
  readonly cardRefusal?: (StorageRefusal & { readonly isForAll: boolean }) | undefined;
  /** Settings at fault, each with what is done without it. */
  readonly ignoredSettings: readonly string[];
  /** Of the hub in use and the standby, as far as Resource Manager tells. */
  readonly metadata?: { readonly source: HubMetadata | undefined; readonly target: HubMetadata | undefined };
}

/** All that speaks against a failover now, worst first. */
export function findRisks(facts: ReadinessFacts): Finding[] {
  const found = [
    ...judgeSource(facts),
    ...judgeRole(facts),
    ...judgeLatest(facts),
    ...judgeTarget(facts),
    ...judgeCredentials(facts),
    ...judgeRegions(facts),
    ...judgeBackups(facts),
    ...judgeStandby({ ...facts, standby: facts.card.standby, isUnsettled: isUnsettled(facts) }),
    ...judgeBothHubs(facts.card, facts.nowMs),
    ...judgeProof(facts),
    ...judgeWatchdog(facts),
    ...judgeObjectives(facts),
    ...judgeRefusals(facts),
    ...judgeStorage(facts),
    ...facts.ignoredSettings.map((sentence) => risk('SettingIgnored', sentence)),
  ];
  return [...found.filter(({ level }) => level === 'stop'), ...found.filter(({ level }) => level === 'risk')];
}

export function verdictOf(findings: readonly Finding[]): Verdict {
  if (findings.some(({ level }) => level === 'stop')) return 'NotReady';
  return findings.length > 0 ? 'AtRisk' : 'Ready';
}

/** True when a backup should have started by now and did not; one that waits for a silent hub is not to blame. */
export function isBackupMissed(facts: ReadinessFacts): boolean {
  const newest = findNewestOfRole(facts);
  if (newest === undefined) return hasChanged(facts.role) && isLate(facts.role.since, facts);
  if (!isOver(newest) && facts.source.silentSince !== undefined) return false;
  return isLate(newest.createdAt, facts);
}

function isLate(instant: string, facts: ReadinessFacts): boolean {
  return ageOf(instant, facts) > LATE_INTERVALS * facts.backupIntervalMs;
}

/** Of the hub in use. */
function backupsOf({ card, role }: ReadinessFacts): readonly BackupRun[] {
  return card.backups.filter(({ hub }) => isSameHub(hub, role.active));
}

/** What was backed up before the hub came into use says nothing about the timer since. */
function findNewestOfRole(facts: ReadinessFacts): BackupRun | undefined {
  const { role } = facts;
  return backupsOf(facts).find(({ createdAt }) => Date.parse(createdAt) >= Date.parse(role.since));
}

function ageOf(instant: string, { nowMs }: ReadinessFacts): number {
  return nowMs - Date.parse(instant);
}

function isUnsettled({ card, role, primary }: ReadinessFacts): boolean {
  return card.unsettled !== undefined || isExchangedSince(role, primary);
}

/** Whether it is known which hub is in use. */
function judgeRole({ card, role, primary }: ReadinessFacts): Finding[] {
  if (card.roleFault !== undefined) return [stop('RoleUnreadable', card.roleFault)];
  const found: Finding[] = [];
  if (card.unsettled !== undefined) {
    const { runId, at } = card.unsettled;
    found.push({ ...risk('RoleUnsettled', roleUnsettled(role, runId, at)), runId });
  }
  if (isExchangedSince(role, primary)) found.push(risk('RoleUnsettled', settingsExchanged(role)));
  return found;
}

/** A failover does without the hub in use, but what its devices change from now on is not saved. */
function judgeSource(facts: ReadinessFacts): Finding[] {
  const { fault, silentSince } = facts.source;
  if (fault === undefined) return [];
  if (silentSince === undefined) return [risk('PrimaryRefuses', `A backup could not begin. ${fault.message}`)];
  const silence = describeSilence('hub in use', facts.role.active, { silentSince, fault, facts });
  const message = `${silence} Backups wait for it; a restore into the standby does not need it.`;
  return [risk('PrimaryUnavailable', message)];
}

interface Silence {
  readonly silentSince: string;
  readonly fault: ProbeFault;
  readonly facts: ReadinessFacts;
}

/** `The hub in use, one/devices, has not answered since 22:47 UTC (connection refused).` */
function describeSilence(role: string, hub: HubRef, { silentSince, fault, facts }: Silence): string {
  const cause = fault.cause === undefined ? '' : ` (${fault.cause})`;
  return `The ${role}, ${fullNameOf(hub)}, has not answered since ${describeInstant(silentSince, facts)}${cause}.`;
}

/** `22:47 UTC`, with the date on another day. */
function describeInstant(instant: string, { nowMs }: Pick<ReadinessFacts, 'nowMs'>): string {
  const [day = '', time = ''] = instant.split('T');
  const isToday = new Date(nowMs).toISOString().startsWith(day);
  return `${isToday ? '' : `${day} `}${time.slice(0, 'hh:mm'.length)} UTC`;
}

/** Of an address that takes no call only the log says so: the alerts about all else do not arrive. */
function judgeRefusals(facts: ReadinessFacts): Finding[] {
  const { heartbeat, webhook } = facts.card.refused ?? {};
  const found: Finding[] = [];
  if (webhook !== undefined) {
    const message = `ALERT_WEBHOOK_URL has not taken an alert since ${describeInstant(webhook.since, facts)} (${webhook.seen}). Correct that setting, then try it: notification-hubs-dr test-alert`;
    found.push(risk('AlertsRefused', message));
  }
  if (heartbeat !== undefined) {
    const message = `HEARTBEAT_URL has not taken the heartbeat since ${describeInstant(heartbeat.since, facts)} (${heartbeat.seen}). Correct that setting.`;
    found.push(risk('HeartbeatRefused', message));
  }
  return found;
}

/** What the app does without is not done, and where nothing can be written, no restore can begin. */
function judgeStorage({ card, cardRefusal, ...facts }: ReadinessFacts): Finding[] {
  const { removal, latest } = card.refusedWrites ?? {};
  const say = (what: string, refusal: StorageRefusal | undefined): string[] =>
    refusal === undefined ? [] : [`${what} since ${describeInstant(refusal.since, facts)}. ${refusal.message}`];
  const sentences = [
    ...say('The readiness card could not be stored', cardRefusal),
    ...say('latest.json, for readers outside of the app, could not be written', latest),
    ...say('What is no longer needed could not be removed', removal),
  ];
  if (sentences.length === 0) return [];
  return [(cardRefusal?.isForAll ? stop : risk)('StorageRefuses', sentences.join(' '))];
}

function judgeLatest(facts: ReadinessFacts): Finding[] {
  const { backupIntervalMs, card, role } = facts;
  const { latest, passedOver } = card;
  if (latest === undefined) return [stop('NoGoodSnapshot', noGoodSnapshot(role))];
  const ageMs = ageOf(latest.readStartedAt, facts);
  const late = `The newest good snapshot is ${describeDuration(ageMs)} old; one is due every ${describeDuration(backupIntervalMs)}.`;
  const found: Finding[] = [];
  if (isOlderThanRole(latest.readStartedAt, role)) {
    found.push(stop('SnapshotOlderThanRole', snapshotOlderThanRole(latest.readStartedAt, role)));
  }
  if (ageMs > Math.max(DAY_MS, USELESS_INTERVALS * backupIntervalMs)) found.push(stop('SnapshotTooOld', late));
  else if (ageMs > LATE_INTERVALS * backupIntervalMs) found.push(risk('SnapshotOld', late));
  for (const warning of passedOver) found.push(risk('SnapshotPassedOver', warning));
  return found;
}

const STANDBY_LOST =
  ' After a failover that is expected until the old region returns: till then there is no standby. Fail back when it answers.';

function judgeTarget(facts: ReadinessFacts): Finding[] {
  const { latest, devicesInTarget, standby } = facts.card;
  const { fault, silentSince, deviceLimit } = facts.target;
  if (fault !== undefined) {
    const why =
      silentSince === undefined
        ? fault.message
        : `${describeSilence('standby', facts.role.standby, { silentSince, fault, facts })}${hasChanged(facts.role) ? STANDBY_LOST : ''}`;
    return [stop(fault.code, `A restore could not begin. ${why}`)];
  }
  const records = latest?.counts.records ?? 0;
  if (deviceLimit === null) return [];
  if (records > deviceLimit) {
    const message = `The newest good snapshot holds ${counted(records, 'record')}, and the target's tier takes ${counted(deviceLimit, 'device')}. Raise the tier of its namespace.`;
    return [stop('TargetTooSmall', message)];
  }
  // After a sync they are the same ones.
  if (devicesInTarget === undefined || standby?.synced !== undefined) return [];
  if (records + devicesInTarget <= deviceLimit) return [];
  const message = `The target held ${counted(devicesInTarget, 'record')} when it was last listed; with the snapshot's ${grouped(records)} that is more than the ${counted(deviceLimit, 'device')} its tier takes, unless they are the same ones.`;
  return [risk('TargetMayBeFull', message)];
}

/** A device of such a platform would be in the standby, and get nothing. */
function judgeCredentials({ card, metadata, role }: ReadinessFacts): Finding[] {
  const missing = withoutCredential(card.latest?.counts.byPlatform ?? {}, metadata?.target);
  if (missing.length === 0) return [];
  const list = missing
    .map(({ platform, registrations }) => `${platform} (${counted(registrations, 'registration')})`)
    .join(', ');
  const message = `The standby, ${fullNameOf(role.standby)}, has no push credential for ${list}: these devices would be restored and get nothing. Enter it there.`;
  return [stop('PushCredentialMissing', message)];
}

function judgeRegions({ metadata }: ReadinessFacts): Finding[] {
  const { source, target } = metadata ?? {};
  if (!isSameRegion(source?.location, target?.location)) return [];
  return [risk('SameRegion', `Both hubs are in ${source?.location}: what takes that region away takes both.`)];
}

/** The newest backup that ended counts, well or not; a cancelled one tells nothing. */
function judgeBackups(facts: ReadinessFacts): Finding[] {
  const backups = backupsOf(facts);
  const ended = backups.find((run) => isOver(run) && run.status !== 'Canceled');
  const found: Finding[] = [];
  if (ended?.status === 'Failed') {
    const message = `The newest backup, ${ended.id}, failed. ${ended.error?.message ?? 'The log says why.'}`;
    found.push({ ...risk('BackupFailed', message), runId: ended.id });
  }
  if (ended?.result?.health === 'suspect') {
    found.push({ ...risk('SnapshotSuspect', describeSuspect(ended.id, ended.result, facts)), snapshotId: ended.id });
  }
  if (isBackupMissed(facts)) found.push(risk('BackupMissed', describeMissed(findNewestOfRole(facts), facts)));
  return found;
}

/** Devices that are lost come before devices that are gone: what is accepted is the standard from then on. */
function describeSuspect(id: string, result: NonNullable<BackupRun['result']>, facts: ReadinessFacts): string {
  const { card, role, primary } = facts;
  const { latest } = card;
  const target = isSameHub(role.active, primary) ? 'primary' : 'secondary';
  const lost =
    latest === undefined
      ? 'That hub has no good one. If devices were lost, find the one to restore: notification-hubs-dr snapshots'
      : `Restores use the last good one, ${latest.id}, of ${counted(latest.counts.records, 'record')}, read at ${describeInstant(latest.readStartedAt, facts)}. If ${fullNameOf(role.active)} has lost devices, restore that: notification-hubs-dr restore --snapshot ${latest.id} --target ${target} --watch`;
  // That of an empty hub is never accepted.
  const meant =
    result.recordCount === 0
      ? ''
      : `. Only if those devices are gone for good: notification-hubs-dr accept ${id}; notification-hubs-dr backup`;
  return `The newest snapshot, ${id}, is suspect: ${result.healthReasons.join('; ')}. ${lost}${meant}`;
}

function describeMissed(newest: BackupRun | undefined, facts: ReadinessFacts): string {
  if (newest === undefined) {
    const age = describeDuration(ageOf(facts.role.since, facts));
    return `No backup has started since the hub came into use ${age} ago. Check whether the timer runs.`;
  }
  const age = describeDuration(ageOf(newest.createdAt, facts));
  const due = `one is due every ${describeDuration(facts.backupIntervalMs)}`;
  return isOver(newest)
    ? `No backup has started for ${age}; ${due}. Check whether the timer runs.`
    : `The backup ${newest.id} has been running for ${age}; ${due}, and none starts beside it. Watch it: notification-hubs-dr watch ${newest.id}; or stop it: notification-hubs-dr cancel ${newest.id}`;
}

function judgeProof(facts: ReadinessFacts): Finding[] {
  const { latest, provenAt, lastDrill } = facts.card;
  const found: Finding[] = [];
  if (lastDrill?.failure !== undefined && lastDrill.canceledAt === undefined) {
    found.push(risk('DrillFailed', `The last drill failed: ${lastDrill.failure}`));
  }
  if (latest === undefined) return found;
  const hub = withRole(facts.role.active, facts.role);
  const prove = 'Prove the newest: notification-hubs-dr verify latest';
  if (provenAt === undefined) found.push(risk('NotProven', `No snapshot of ${hub}, has been proven yet. ${prove}`));
  else if (ageOf(provenAt, facts) > PROOF_DAYS * DAY_MS) {
    const message = `No snapshot of ${hub}, has been proven for ${describeDuration(ageOf(provenAt, facts))}. ${prove}`;
    found.push(risk('ProofOld', message));
  }
  return found;
}

/** Nothing else reports it: without the watchdog a stuck run stays stuck, and no alert is raised or repeated. */
function judgeWatchdog(facts: ReadinessFacts): Finding[] {
  const { watchIntervalMs, card } = facts;
  const { watchedAt, firstAt = card.judgedAt } = card;
  const silentMs = ageOf(watchedAt ?? firstAt, facts);
  const patienceMs = Math.max(WATCHDOG_PATIENCE_MS, USELESS_INTERVALS * watchIntervalMs);
  if (silentMs <= (watchedAt === undefined ? NEW_INTERVALS * watchIntervalMs : patienceMs)) return [];
  const since = watchedAt === undefined ? 'yet' : `for ${describeDuration(silentMs)}`;
  const message = `The watchdog has not looked ${since}; it is due every ${describeDuration(watchIntervalMs)}. Stuck runs stay stuck and no alert is sent. Check whether the timers run, and what the watchdog's log says.`;
  return [risk('WatchdogSilent', message)];
}
