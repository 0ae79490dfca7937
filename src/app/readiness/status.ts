import { viewCoverage } from '../../core/baseline/coverage.ts';
import type { ReadinessCard } from '../../core/readiness/card.ts';
import { describeDuration } from '../../core/readiness/finding.ts';
import { type HubMetadata, withoutCredential } from '../../core/readiness/metadata.ts';
import { predictedSeconds, viewObjectives } from '../../core/readiness/objectives.ts';
import { findRisks, isBackupMissed, verdictOf } from '../../core/readiness/readiness.ts';
import { isInStep, type Standby } from '../../core/readiness/standby.ts';
import type { ProbedHub } from '../../core/readiness/tiers.ts';
import { isOver, type RestoreRun } from '../../core/run/run.ts';
import { amountOf } from '../../core/snapshot/amount.ts';
import type { App } from '../app.ts';
import { readBackupProgress, viewBackup } from '../backup/view.ts';
import { viewLastDrill } from '../drill/view.ts';
import { viewRestore } from '../restore/view.ts';
import { type Roles, rolesBySettings, viewRole, withHubs } from '../runs/roles.ts';
import { readCard } from './card-store.ts';
import { renewCard } from './gather.ts';
import { shownOf } from './metadata.ts';
import { type JudgedHubs, probeHubs, withNoticed } from './probe-hubs.ts';

const ALL_WELL = 'The newest snapshot is good and young enough, one is proven, and the target is ready.';

/** The watchdog renews the card each minute: one older than this says that it does not, and is not believed. */
const FRESH_MS = 3 * 60_000;
/** A storage listing gives this many blobs per request. */
const BLOBS_A_REQUEST = 5000;
/** One was for the card. */
const REQUESTS_LEFT = 2;

/**
 * "If we failed over now": the readiness card. At most three storage requests: what is judged each minute, and whenever
 * a run moves on, is one document; how far the running ones are takes the rest.
 */
export async function readStatus(app: App) {
  const card = await currentCard(app);
  const roles = card.role === undefined ? rolesBySettings(app) : withHubs(app, card.role);
  const hubs = withNoticed(app, roles, await probeHubs(app, roles), card.silentSince);
  const nowMs = app.world.storageNow();
  const { cardRefusal } = app.memory;
  const facts = { ...app.policy, card, cardRefusal, ...hubs, role: roles.role, primary: app.primary.ref, nowMs };
  const findings = findRisks(facts);
  const { latest, proven, lastDrill } = card;
  const [lastBackup, lastRestore] = await Promise.all([viewLastBackup(app, card), viewLastRestore(app, card, roles)]);
  const expectedEverySeconds = app.policy.backupIntervalMs / 1000;
  return {
    verdict: verdictOf(findings),
    reason: findings[0]?.message ?? ALL_WELL,
    findings,
    judgedAt: card.judgedAt,
    role: viewRole(roles.role),
    primary: app.primary.ref,
    secondary: app.secondary.ref,
    backupIntervalSeconds: expectedEverySeconds,
    lastBackup,
    lastRestore,
    standbySync: card.standby === undefined ? null : viewStandby(app, card.standby, latest),
    dualWrites: card.dualWrites ?? null,
    feedback: card.feedback === undefined ? null : { mode: app.policy.feedbackCleanup ?? 'off', ...card.feedback },
    coverage: latest?.coverage === undefined ? null : viewCoverage(latest.coverage),
    latestGoodSnapshot: latest === undefined ? null : viewLatest(latest, nowMs),
    provenSnapshot: proven === undefined ? null : viewProven(proven, nowMs),
    atRisk: latest === undefined ? null : viewAtRisk(latest, nowMs),
    predictedRestore: predict(card),
    objectives: viewObjectives(facts),
    source: viewHub(hubs.source),
    target: viewTarget(hubs, card.devicesInTarget),
    metadata: viewMetadata(hubs.metadata),
    undeliverable: undeliverableOf(latest, hubs.metadata.target),
    missedBackups: {
      expectedEverySeconds,
      lastStartedAt: card.backups[0]?.createdAt ?? null,
      missed: isBackupMissed(facts),
    },
    watchdog: { expectedEverySeconds: app.policy.watchIntervalMs / 1000, lastLookAt: card.watchedAt ?? null },
    lastDrill: lastDrill === undefined ? null : viewLastDrill(lastDrill),
    alerts: { heartbeatUrl: app.notifier.hasHeartbeat, webhook: app.notifier.hasWebhook, open: card.openAlerts },
  };
}

/** As it is stored; judged again when there is none that can be trusted. */
async function currentCard(app: App): Promise<ReadinessCard> {
  const { card } = await readCard(app);
  if (card === undefined || card.isExpired === true) return renewCard(app);
  // Another host's clock may be ahead of ours.
  const isFresh = Math.abs(app.world.storageNow() - Date.parse(card.judgedAt)) < FRESH_MS;
  return isFresh ? card : renewCard(app);
}

/** A backup beside a restore has to do with what that leaves: its numbers may be as old as the card. */
async function viewLastBackup(app: App, { backups: [run], backupProgress, restore }: ReadinessCard) {
  if (run === undefined) return null;
  const known = backupProgress?.runId === run.id ? backupProgress : undefined;
  const requests = REQUESTS_LEFT - listingsOf(restore);
  return viewBackup(app, run, await readBackupProgress(app, run, { requests, known }));
}

/** How far it has listed its hub is shown where no backup needs the request. */
async function viewLastRestore(app: App, { restore, backups: [backup] }: ReadinessCard, { active }: Roles) {
  if (restore === undefined) return null;
  const isBackupActive = backup !== undefined && !isOver(backup);
  const hasRequest = !isBackupActive && listingsOf(restore) < REQUESTS_LEFT;
  // It is the newest: no retry has followed.
  return viewRestore(app, restore, { hasRequest, findRetry: () => undefined, findActive: async () => active.ref });
}

/** What showing the restore costs: its results are listed until they are summed up in its document. */
function listingsOf(restore: RestoreRun | undefined): number {
  if (restore === undefined || restore.result !== undefined) return 0;
  // The pass may have ended since.
  return Math.ceil(((restore.phase.pass + 1) * restore.shardCount + 1) / BLOBS_A_REQUEST);
}

/** What the standby holds, and what became of the last sync. */
function viewStandby({ policy }: App, standby: Standby, latest: LatestGood | undefined) {
  const { last, synced, stopped, changedBy, outOfStepSince } = standby;
  const isReady = isInStep(standby, latest?.id, policy.standbyDriftPercent);
  const isUnknown = latest === undefined || synced === undefined || changedBy !== undefined;
  const lagSeconds = isUnknown ? null : secondsSince(synced.readAt, Date.parse(latest.readStartedAt));
  return {
    isInStep: isReady,
    // Which a failover then only proves.
    switchSeconds: isReady ? 0 : null,
    lagSeconds,
    outOfStepSince: outOfStepSince ?? null,
    stopped: stopped ?? null,
    changedBy: changedBy ?? null,
    synced: synced ?? null,
    last: last === undefined ? null : viewSync(last),
  };
}

function viewSync({ id, status, createdAt, finishedAt, request, error, result }: RestoreRun) {
  return { id, status, snapshotId: request.snapshotId, createdAt, finishedAt, counts: result?.counts, error };
}

type LatestGood = NonNullable<ReadinessCard['latest']>;

function viewLatest({ churn: _, damagedAt: __, coverage: ___, ...shown }: LatestGood, nowMs: number) {
  return { ...shown, amount: amountOf(shown.counts), ageSeconds: secondsSince(shown.readStartedAt, nowMs) };
}

function viewProven({ readStartedAt, ...shown }: NonNullable<ReadinessCard['proven']>, nowMs: number) {
  return { ...shown, ageSeconds: secondsSince(readStartedAt, nowMs) };
}

/**
 * What would be lost: what was added or changed since the newest good snapshot was begun, if things go on as before.
 */
function viewAtRisk({ readStartedAt, churn, counts }: LatestGood, nowMs: number) {
  const age = secondsSince(readStartedAt, nowMs);
  const minutes = Math.round(age / 6) / 10;
  if (churn === undefined || churn.seconds <= 0) {
    return { minutes, devicesEstimate: null, basis: 'no two snapshots were compared yet' };
  }
  const { added, changed, seconds, sinceSnapshotId } = churn;
  const duration = seconds === 1 ? 'second' : describeDuration(seconds * 1000);
  const basis = `${added} added and ${changed} changed in the ${duration} since snapshot ${sinceSnapshotId}`;
  // Snapshots that lie seconds apart, as when a hub is filled, would give more than there is.
  const devicesEstimate = Math.min(counts.records, Math.round(((added + changed) / seconds) * age));
  return { minutes, devicesEstimate, basis };
}

function predict(card: ReadinessCard) {
  const seconds = predictedSeconds(card);
  if (seconds === undefined || card.pace === undefined) return null;
  const { besidesSeconds: _, ...pace } = card.pace;
  return { seconds, ...pace };
}

function viewHub({ fault, silentSince, requestsPerSecond, ...shown }: ProbedHub) {
  return {
    ...shown,
    silentSince: silentSince ?? null,
    cause: fault?.cause ?? null,
    // A hub that is there has a cause only when it wants to be left alone.
    throttled: requestsPerSecond !== undefined || (shown.reachable && fault?.cause !== undefined),
    requestsPerSecond: requestsPerSecond === undefined ? null : Math.round(requestsPerSecond * 10) / 10,
  };
}

/** The room is the namespace's, as far as it is known what its other hubs hold. */
function viewTarget({ target, metadata }: JudgedHubs, devicesNow: number | undefined) {
  const { tier, deviceLimit, ...hub } = target;
  const devicesOfOthers = metadata.target?.devicesOfOthers;
  const left = (deviceLimit ?? 0) - (devicesNow ?? 0) - (devicesOfOthers ?? 0);
  const room = deviceLimit === null || devicesNow === undefined ? null : Math.max(0, left);
  return {
    ...viewHub(hub),
    tier,
    deviceLimit,
    devicesNow: devicesNow ?? null,
    devicesOfOthers: devicesOfOthers ?? null,
    room,
  };
}

/** What Resource Manager says of the hubs, where the settings have their resource ids. */
function viewMetadata({ source, target }: JudgedHubs['metadata']) {
  if (source === undefined && target === undefined) return null;
  const view = (one: HubMetadata | undefined) => one && { ...shownOf(one), unknown: one.faults };
  return { source: view(source) ?? null, target: view(target) ?? null };
}

/**
 * Devices a push will not reach even when they are restored. Whether the target holds push credentials cannot be seen
 * through its own API: descriptions of hubs that were recorded show keys and rules only. Resource Manager tells it where
 * the app's identity may read them.
 */
function undeliverableOf(latest: LatestGood | undefined, target: HubMetadata | undefined) {
  const { byPlatform = {} } = latest?.counts ?? {};
  const registrations = byPlatform['Gcm'] ?? 0;
  const reason = 'FCM legacy stopped delivering in 2024: these apps have to register as FcmV1.';
  const legacy = registrations === 0 ? [] : [{ platform: 'Gcm', registrations, reason }];
  const missing = withoutCredential(byPlatform, target).map((one) => ({
    ...one,
    reason: 'The standby has no push credential for them.',
  }));
  return [...legacy, ...missing];
}

function secondsSince(instant: string, nowMs: number): number {
  return Math.round((nowMs - Date.parse(instant)) / 1000);
}
