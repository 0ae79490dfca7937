import { call } from '../app/api.js';
import { poll, wake } from '../app/poll.js';
import { announce, fill, h } from '../parts/dom.js';
import { drillButton } from '../parts/drill-button.js';
import { duration, moment, number, plural, rate, time } from '../parts/format.js';
import { rolesOf } from '../parts/roles.js';
import { verifyButton } from '../parts/verify-button.js';
import { actionButton, badge, facts, hubName, icon, isOver, problem, statusBadge, verdict } from '../parts/widgets.js';
import { showDeployment } from './deployment.js';
import { showHistory } from './history.js';
import { showRestores } from './restores.js';
import { roleActions, tenures } from './role.js';
import { waitingText } from './run-words.js';
import { proofWords, showSnapshots } from './snapshots.js';

/** @typedef {import('../api-types.d.ts').Status} Status */

const CALM_MS = 15_000;
const BUSY_MS = 2000;

/**
 * The readiness card, the snapshots and the restores, kept current.
 * @param {HTMLElement} view
 * @param {AbortSignal} signal
 */
export function showOverview(view, signal) {
  const head = h('div', {}, h('div', { class: 'verdict' }, h('p', { class: 'muted' }, 'Loading readiness …')));
  const actions = h('div', { class: 'actions' });
  const details = h('div', { class: 'stack' });
  const snapshots = h('section', { 'aria-labelledby': 'snapshots-title' });
  const restores = h('section', { 'aria-labelledby': 'restores-title' });
  const history = h('section', { 'aria-labelledby': 'history-title' });
  const deployment = h('section', { 'aria-labelledby': 'deployment-title' });
  view.replaceChildren(
    h('h1', { tabindex: -1 }, 'Failover readiness'),
    h('section', { class: 'card', 'aria-label': 'Readiness' }, head, actions, details),
    snapshots,
    restores,
    history,
    deployment,
  );
  showHistory(history);
  showDeployment(deployment);
  const refreshSnapshots = showSnapshots(snapshots, signal);
  showRestores(restores, signal);
  let announced = '';
  let newestBackup = '';
  poll(async () => {
    /** @type {Status} */
    const status = await call('status');
    fill(head, verdict(toneOf(status), wordsOf[status.verdict] ?? status.verdict, h('p', {}, status.reason)));
    fill(actions, actionsOf(status));
    fill(details, findings(status), cardFacts(status));
    if (announced !== status.verdict) announce(`${wordsOf[status.verdict]}. ${status.reason}`);
    announced = status.verdict;
    const backup = `${status.lastBackup?.id} ${status.lastBackup?.status}`;
    if (newestBackup !== '' && backup !== newestBackup) refreshSnapshots();
    newestBackup = backup;
    return status.lastBackup && !isOver(status.lastBackup) ? BUSY_MS : CALM_MS;
  }, signal).catch((error) => fill(head, problem(error, 'The readiness could not be read.')));
}

const wordsOf = { Ready: 'Ready', AtRisk: 'At risk', NotReady: 'Not ready' };

/** @param {Status} status */
function toneOf({ verdict: word }) {
  return word === 'Ready' ? 'ok' : word === 'AtRisk' ? 'warn' : 'bad';
}

/** @param {Status} status */
function actionsOf(status) {
  const { latestGoodSnapshot, lastBackup, lastRestore, lastDrill, findings: found = [] } = status;
  const isUnproven = found.some(({ code }) => code === 'NotProven' || code === 'ProofOld');
  const running = lastRestore !== null && !isOver(lastRestore) ? lastRestore : undefined;
  const canRestore = latestGoodSnapshot !== null;
  const isBackingUp = lastBackup !== null && !isOver(lastBackup);
  const backUp = actionButton(isBackingUp ? 'Backing up …' : 'Back up now', startBackup, {
    class: canRestore ? '' : 'main',
    focus: 'backup',
    failed: 'The backup was not started.',
  });
  return [
    running !== undefined &&
      h(
        'a',
        { class: 'button main', href: `#/restores/${running.id}`, 'data-focus': 'watch' },
        'Watch the running restore',
      ),
    canRestore &&
      running === undefined &&
      h('a', { class: 'button', href: '#/restore', 'data-focus': 'restore' }, 'Restore …'),
    backUp,
    isBackingUp &&
      actionButton('Stop the backup', () => stopBackup(lastBackup.id), {
        focus: 'stop-backup',
        failed: 'The backup was not stopped.',
      }),
    isUnproven && latestGoodSnapshot !== null && verifyButton(latestGoodSnapshot.id, 'Verify the newest'),
    lastDrill !== undefined && drillButton(),
    roleActions(status, canRestore && running === undefined),
  ];
}

async function startBackup() {
  await call('backups', { method: 'POST' });
  announce('The backup has started.');
  wake();
}

/** @param {string} id */
async function stopBackup(id) {
  await call(`backups/${encodeURIComponent(id)}/cancel`, { method: 'POST' });
  announce('The backup is stopped.');
  wake();
}

/**
 * All findings, the worst first, without the one the verdict shows. An open alert is listed only when it has outlived its
 * finding.
 * @param {Status} status
 */
function findings({ findings: all = [], reason, alerts }) {
  const others = all.filter((one) => one.message !== reason);
  const open = (alerts?.open ?? []).filter(
    (alert) => alert.code !== 'NotReady' && !all.some((one) => one.code === alert.code),
  );
  if (others.length + open.length === 0) return undefined;
  return h(
    'ul',
    { class: 'findings' },
    others.map(({ level, message }) => h('li', {}, icon(level === 'stop' ? 'bad' : 'warn'), h('span', {}, message))),
    open.map(({ code, since, message }) =>
      h('li', {}, icon('warn'), h('span', {}, `${message} Alert ${code} is open since ${moment(since)}.`)),
    ),
  );
}

/** @param {Status} status */
function cardFacts(status) {
  const latest = status.latestGoodSnapshot;
  return facts([
    ['Hub in use', activeOf(status)],
    ['Standby', standbyOf(status)],
    ['Standby sync', syncOf(status)],
    ['Seen since the switch', coverageOf(status)],
    [
      'Newest good snapshot',
      latest === null ? 'none' : [time(latest.readStartedAt), line(plural(latest.counts.records, 'device'))],
    ],
    ['Newest proven snapshot', provenOf(status)],
    ['Would be lost', atRiskOf(status)],
    ['Restore time', predictedOf(status)],
    ['Last backup', lastBackupOf(status)],
    ['Last drill', lastDrillOf(status)],
    [
      'Undeliverable',
      status.undeliverable === undefined || status.undeliverable.length === 0
        ? undefined
        : status.undeliverable.map(({ platform, registrations, reason }) =>
            line(`${platform}, ${plural(registrations, 'registration')}: ${reason}`),
          ),
    ],
    ['Alerts', alertsOf(status)],
  ]);
}

/** @param {import('../parts/dom.js').Child} text */
function line(text) {
  return h('span', { class: 'line muted' }, text);
}

/** @param {Status} status */
function provenOf({ provenSnapshot }) {
  if (provenSnapshot === undefined) return undefined;
  if (provenSnapshot === null) return 'none yet: verify one, or run a drill';
  const { how, at } = provenSnapshot;
  return [time(at), line(proofWords[how] ?? how)];
}

/** @param {Status} status */
function atRiskOf({ atRisk }) {
  if (atRisk === undefined) return undefined;
  if (atRisk === null) return 'everything: there is no good snapshot';
  const { minutes, devicesEstimate, basis } = atRisk;
  const changes = devicesEstimate === null ? '' : `, about ${plural(Math.round(devicesEstimate), 'device')}`;
  return [`changes of the last ${duration(minutes * 60)}${changes}`, line(basis)];
}

/** @param {Status} status */
function predictedOf({ predictedRestore }) {
  if (predictedRestore === undefined) return undefined;
  if (predictedRestore === null) return 'unknown until the first restore or drill';
  const { seconds, recordsPerSecond, basis } = predictedRestore;
  return [`about ${duration(seconds)}`, line(`${rate(recordsPerSecond)}, as in the last ${basis}`)];
}

/** @param {Status} status */
function activeOf(status) {
  const { source, backupIntervalSeconds } = status;
  return [
    hubName(rolesOf(status).active),
    ...(source === undefined ? [] : answersOf(source)),
    tenures(status),
    backupIntervalSeconds !== undefined && line(`backed up every ${duration(backupIntervalSeconds)}`),
  ];
}

/** @param {Status} status */
function standbyOf(status) {
  const { target } = status;
  const name = hubName(rolesOf(status).standby);
  if (target === undefined) return name;
  const { rights, tier, devicesNow, room } = target;
  const parts = [
    rights === false ? 'the key has no Manage right' : rights ? 'Manage right' : '',
    tier && tier !== 'unknown' ? `${tier} tier` : '',
    typeof devicesNow === 'number' ? `${plural(devicesNow, 'device')} now` : '',
    typeof room === 'number' ? `room for ${number(room)}` : '',
  ].filter((part) => part !== '');
  return [name, ...answersOf(target), parts.length > 0 && line(parts.join(', '))];
}

/** @param {Status} status */
function coverageOf({ coverage }) {
  if (!coverage) return undefined;
  const { total, registered, restored, missing, percent } = coverage;
  return [
    `${number(registered)} of ${plural(total, 'device')} (${percent} %) have registered by themselves`,
    line(`${number(restored)} are as restored, ${number(missing)} are not there`),
  ];
}

/** @param {Status} status */
function syncOf({ standbySync, role }) {
  if (standbySync === undefined || standbySync === null) return undefined;
  const { isInStep, lagSeconds, stopped, synced, changedBy, last } = standbySync;
  const unsynced = (role?.history ?? []).length > 1 ? 'no sync since the switch' : 'no sync yet';
  const behind = lagSeconds ? `${duration(lagSeconds)} behind` : synced === null ? unsynced : 'not in step';
  const { failed = 0, different = 0 } = synced ?? {};
  return [
    stopped !== null ? badge('bad', 'stopped') : isInStep ? badge('ok', 'in step') : badge('warn', behind),
    isInStep && line('A failover has nothing left to copy.'),
    !isInStep && Boolean(lagSeconds) && line('A failover copies the difference first.'),
    synced !== null && line(['Last in step ', time(synced.at), failed > 0 ? `, ${number(failed)} refused` : '']),
    different > 0 && line(`But for ${plural(different, 'record')} that others changed there`),
    changedBy && line(['Changed since by restore ', changedBy.runId]),
    last !== null &&
      line([
        h('a', { href: `#/restores/${encodeURIComponent(last.id)}`, 'data-focus': 'sync' }, 'Last sync'),
        ' ',
        time(last.createdAt),
        ' ',
        statusBadge(last.status),
      ]),
  ];
}

/**
 * Whether a hub answers, since when it does not, and what it takes.
 * @param {import('../api-types.d.ts').ProbedHub} hub
 */
function answersOf({ reachable, silentSince, cause, requestsPerSecond }) {
  return [
    ' ',
    reachable ? badge('ok', 'reachable') : badge('bad', 'not reachable'),
    silentSince && line(['No answer since ', time(silentSince), cause ? ` (${cause})` : '']),
    reachable && cause && line(cause),
    requestsPerSecond && line(`Throttled: takes ${plural(requestsPerSecond, 'request')} a second`),
  ];
}

/** @param {Status} status */
function lastBackupOf({ lastBackup, missedBackups }) {
  if (lastBackup === null) return 'none yet';
  const { status, createdAt, phase, rowsRead, waiting, error } = lastBackup;
  return [
    time(createdAt),
    ' ',
    statusBadge(status),
    status === 'Running' && line(`${phase}, ${plural(rowsRead ?? 0, 'registration')} read`),
    waiting !== undefined && line(waitingText(waiting)),
    error !== undefined && line(error.message),
    missedBackups?.missed && line('A scheduled backup is missing.'),
  ];
}

/** @param {Status} status */
function lastDrillOf({ lastDrill }) {
  if (lastDrill === undefined) return undefined;
  if (lastDrill === null) return 'none yet';
  const { at, verdict: word, seconds, how, reason } = lastDrill;
  return [
    time(at),
    ' ',
    word === 'Passed'
      ? badge('ok', 'passed')
      : word === 'Failed'
        ? badge('bad', 'failed')
        : badge('warn', word.toLowerCase()),
    line([how, seconds === undefined ? '' : `, took ${duration(seconds)}`, reason ? `. ${reason}` : '']),
  ];
}

/** @param {Status} status */
function alertsOf({ alerts }) {
  if (alerts === undefined) return undefined;
  const { webhook, heartbeatUrl } = alerts;
  if (webhook && heartbeatUrl) return 'sent to a webhook; heartbeat after each good backup';
  if (webhook) return 'sent to a webhook; no heartbeat';
  return heartbeatUrl ? 'no webhook; heartbeat after each good backup' : 'none: no webhook or heartbeat is set';
}
