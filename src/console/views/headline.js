import { restoreAddress, snapshotAddress } from '../parts/addresses.js';
import { number, plural } from '../parts/format.js';
import { onOverview } from '../parts/on-this-page.js';
import { hubName, isOver } from '../parts/widgets.js';
import { kindOf, percentOf, switchedIn } from './run-words.js';

/**
 * @typedef {import('../api-types.d.ts').Status} Status
 * @typedef {import('../api-types.d.ts').Finding} Finding
 * @typedef {import('../api-types.d.ts').Restore} Restore
 */

/**
 * What the overview offers. `none`: there is nothing to do.
 * @typedef {'watch' | 'see' | 'backup' | 'verify' | 'drill' | 'failover' | 'role' | 'sync' | 'snapshot' | 'check' | 'none'} Next
 */

/**
 * The most urgent thing, in a sentence, and what to do about it.
 * @typedef {object} Headline
 * @property {import('../parts/widgets.js').Tone} tone
 * @property {string} title
 * @property {string} text
 * @property {{ href: string, text: string }} [link] To what it is about.
 * @property {Next} next
 */

const verdicts = { Ready: 'Ready', AtRisk: 'At risk', NotReady: 'Not ready' };

/** A restore that ended badly is the most urgent thing for a day: someone is likely to be at it. */
const URGENT_MS = 24 * 3_600_000;

/**
 * A restore under way comes first, then one that ended badly, then what speaks against a failover, the worst first.
 * @param {Status} status
 * @returns {Headline}
 */
export function headlineOf(status) {
  const { lastRestore } = status;
  if (lastRestore !== null && !isOver(lastRestore)) return underWay(lastRestore);
  if (lastRestore !== null && endedBadly(lastRestore)) return ofFailure(lastRestore);
  return ofReadiness(status);
}

/** @param {Status} status */
export function verdictWords({ verdict }) {
  return verdicts[verdict] ?? verdict;
}

/**
 * All that the headline does not say, the worst first. An open alert is among it only where no finding says the same.
 * @param {Status} status
 * @returns {(Finding & { since?: string })[]}
 */
export function otherFindings(status) {
  const { findings = [], reason, alerts, lastRestore } = status;
  const isOfRestore = lastRestore !== null && endedBadly(lastRestore);
  const said = isOfRestore ? ['RestoreFailed', 'NotReady'] : ['NotReady'];
  const headline = isOfRestore ? undefined : reason;
  const open = (alerts?.open ?? []).filter(
    ({ code }) => !said.includes(code) && !findings.some((one) => one.code === code),
  );
  return [
    ...findings.filter(({ message }) => message !== headline),
    ...open.map(({ code, since, message }) => ({ level: /** @type {const} */ ('risk'), code, message, since })),
    ...silenceOf(status),
  ];
}

/**
 * Without alerts a failure is noticed by who looks here.
 * @param {Status} status
 * @returns {Finding[]}
 */
function silenceOf({ alerts }) {
  if (alerts === undefined || (alerts.webhook && alerts.heartbeatUrl)) return [];
  const finding = (/** @type {string} */ message) => [
    { level: /** @type {const} */ ('risk'), code: 'NoAlerts', message: `${message} “Check the deployment” says how.` },
  ];
  if (alerts.webhook)
    return finding('A silence of the whole app raises no alarm: set HEARTBEAT_URL, which each good backup calls.');
  if (alerts.heartbeatUrl)
    return finding('No alert is sent when something fails: set ALERT_WEBHOOK_URL. Only the heartbeat stays away.');
  return finding('No alert is sent when something fails: set ALERT_WEBHOOK_URL and HEARTBEAT_URL.');
}

/**
 * @param {Restore} run
 * @returns {Headline}
 */
function underWay(run) {
  const kind = kindOf(run);
  const doing = run.phase === 'Writing' ? `${Math.floor(percentOf(run))} %` : run.phase.toLowerCase();
  return {
    tone: 'run',
    title: `${kind} is running: ${doing}`,
    text: `Into ${hubName(run.target)}, ${plural(run.counts.total, 'record')}.`,
    link: linkTo(run.id),
    next: 'watch',
  };
}

/** @param {Restore} run */
function endedBadly({ status, dryRun, purpose, finishedAt = '' }) {
  const isRecent = Date.now() - Date.parse(finishedAt) < URGENT_MS;
  return status === 'Failed' && !dryRun && purpose !== 'drill' && isRecent;
}

/**
 * @param {Restore} run
 * @returns {Headline}
 */
function ofFailure(run) {
  const { counts, error } = run;
  const left = (counts.failed ?? 0) + (counts.pending ?? 0);
  const isPartial = error?.code === 'RestoreIncomplete';
  return {
    tone: 'bad',
    title: isPartial ? `${kindOf(run)} is incomplete` : `${kindOf(run)} failed`,
    text: isPartial
      ? `${number(left)} of ${plural(counts.total, 'record')} could not be written into ${hubName(run.target)}.${switchedIn(run)}`
      : onOverview(error?.message ?? 'No reason was given.'),
    link: linkTo(run.id),
    next: 'see',
  };
}

/** @param {string} id */
function linkTo(id) {
  return { href: restoreAddress(id), text: `See ${id}` };
}

/**
 * @param {Status} status
 * @returns {Headline}
 */
function ofReadiness(status) {
  const { verdict, reason, findings = [] } = status;
  const [first] = findings;
  const isBesides = first?.code !== 'SnapshotSuspect' && findings.some(({ code }) => code === 'SnapshotSuspect');
  const besides = isBesides ? ' Besides, the newest snapshot of the hub in use is suspect: see below.' : '';
  const common = { title: verdictWords(status), text: `${onOverview(reason)}${besides}` };
  if (verdict === 'Ready') return { ...common, tone: 'ok', next: silenceOf(status).length > 0 ? 'check' : 'none' };
  const next = remedies[first?.code ?? ''] ?? 'check';
  const about = first === undefined ? undefined : subjectOf(first);
  return {
    ...common,
    tone: verdict === 'AtRisk' ? 'warn' : 'bad',
    next: status.latestGoodSnapshot === null && next !== 'role' ? 'backup' : next,
    ...(about === undefined ? {} : { link: about }),
  };
}

/**
 * What a finding is about, where this page shows it.
 * @param {Finding} finding
 */
export function subjectOf({ code, runId, snapshotId }) {
  if (snapshotId !== undefined) return { href: snapshotAddress(snapshotId), text: `See snapshot ${snapshotId}` };
  // Backups have no page of their own.
  return runId === undefined || code === 'BackupFailed' ? undefined : linkTo(runId);
}

/**
 * By code of a finding. What the settings or the platform have to be asked about is found by a check of the deployment.
 * @type {Readonly<Record<string, Next>>}
 */
const remedies = {
  NoGoodSnapshot: 'backup',
  SnapshotOlderThanRole: 'backup',
  SnapshotTooOld: 'backup',
  SnapshotOld: 'backup',
  SnapshotPassedOver: 'backup',
  BackupFailed: 'backup',
  BackupMissed: 'backup',
  RpoMissed: 'backup',
  PrimaryUnavailable: 'failover',
  RoleUnsettled: 'role',
  RoleUnreadable: 'role',
  NotProven: 'verify',
  ProofOld: 'verify',
  DrillFailed: 'drill',
  SnapshotSuspect: 'snapshot',
  SyncStopped: 'sync',
  StandbyDiffers: 'sync',
  StandbyOutOfStep: 'sync',
};
