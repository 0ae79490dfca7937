import { call } from '../app/api.js';
import { poll } from '../app/poll.js';
import { restoreAddress } from '../parts/addresses.js';
import { amountOf } from '../parts/amount.js';
import { direction } from '../parts/direction.js';
import { announce, fill, h } from '../parts/dom.js';
import { drillButton } from '../parts/drill-button.js';
import { duration, moment, number, plural, rate, share, time } from '../parts/format.js';
import { onOverview } from '../parts/on-this-page.js';
import { rolesOf } from '../parts/roles.js';
import { badge, facts, hubName, icon, isOver, problem, statusBadge, verdict } from '../parts/widgets.js';
import { showDeployment } from './deployment.js';
import { headlineOf, otherFindings, subjectOf, verdictWords } from './headline.js';
import { showHistory } from './history.js';
import { overviewActions } from './overview-actions.js';
import { showRestores } from './restores.js';
import { tenures } from './role.js';
import { waitingText } from './run-words.js';
import { proofWords, showSnapshots } from './snapshots.js';

/** @typedef {import('../api-types.d.ts').Status} Status */

const CALM_MS = 15_000;
const BUSY_MS = 2000;

/**
 * The readiness card, the snapshots and the restores, kept current.
 * @param {HTMLElement} view
 * @param {AbortSignal} signal
 * @param {string} [snapshotId] The snapshot to open.
 */
export function showOverview(view, signal, snapshotId) {
  const pair = h('div');
  const head = h('div', {}, h('div', { class: 'verdict' }, h('p', { class: 'muted' }, 'Loading readiness …')));
  const next = h('div', { class: 'actions' });
  const found = h('div');
  const others = h('div', { class: 'actions' });
  const details = h('div', { class: 'stack' });
  const snapshots = h('section', { 'aria-labelledby': 'snapshots-title' });
  const restores = h('section', { 'aria-labelledby': 'restores-title' });
  const history = h('section', { 'aria-labelledby': 'history-title' });
  const deployment = h('section', { 'aria-labelledby': 'deployment-title' });
  view.replaceChildren(
    h('h1', { tabindex: -1 }, 'Failover readiness'),
    h('section', { class: 'card', 'aria-label': 'Readiness' }, pair, head, next, found, others, details),
    snapshots,
    restores,
    history,
    deployment,
  );
  showHistory(history);
  const checkDeployment = showDeployment(deployment);
  const refreshSnapshots = showSnapshots(snapshots, signal, snapshotId);
  showRestores(restores, signal);
  let announced = '';
  let newestBackup = '';
  /** @type {HTMLElement | undefined} */
  let drill;
  poll(async () => {
    /** @type {Status} */
    const status = await call('status');
    const headline = headlineOf(status);
    drill ??= drillButton();
    const actions = overviewActions(status, headline.next, { drill, checkDeployment });
    fill(pair, pairOf(status));
    fill(head, verdict(headline.tone, headline.title, headlineBody(status, headline)));
    fill(next, actions.next);
    fill(found, findingList(status));
    fill(others, actions.others);
    fill(details, cardFacts(status));
    if (announced !== headline.title) announce(`${headline.title}. ${headline.text}`);
    announced = headline.title;
    const backup = `${status.lastBackup?.id} ${status.lastBackup?.status}`;
    if (newestBackup !== '' && backup !== newestBackup) refreshSnapshots();
    newestBackup = backup;
    return status.lastBackup && !isOver(status.lastBackup) ? BUSY_MS : CALM_MS;
  }, signal).catch((error) => fill(head, problem(error, 'The readiness could not be read.')));
}

/**
 * What is backed up, and into what it would be restored.
 * @param {Status} status
 */
function pairOf(status) {
  const { active, standby } = rolesOf(status);
  const reach = (/** @type {import('../api-types.d.ts').ProbedHub | undefined} */ hub) =>
    hub && !hub.reachable && badge('bad', 'not reachable');
  return direction([
    ['Backed up', [hubName(active), reach(status.source)]],
    ['Would be restored into', [hubName(standby), reach(status.target)]],
  ]);
}

/**
 * @param {Status} status
 * @param {import('./headline.js').Headline} headline
 */
function headlineBody(status, { title, text, link }) {
  const readiness = verdictWords(status);
  return [
    h('p', {}, text),
    link && h('p', {}, h('a', { href: link.href, 'data-focus': 'headline' }, link.text)),
    title !== readiness && h('p', { class: 'muted' }, `Readiness for a failover: ${readiness}.`),
  ];
}

/** @param {Status} status */
function findingList(status) {
  const all = otherFindings(status);
  if (all.length === 0) return undefined;
  return h(
    'ul',
    { class: 'findings' },
    all.map((finding) => {
      const { level, message, since } = finding;
      const about = subjectOf(finding);
      const text = [onOverview(message), since && ` Alert since ${moment(since)}.`];
      const link = about && [' ', h('a', { href: about.href, 'data-focus': about.href }, about.text)];
      return h('li', {}, icon(level === 'stop' ? 'bad' : 'warn'), h('span', {}, text, link));
    }),
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
      latest === null ? 'none' : [time(latest.readStartedAt), line(amountOf(latest)), asOfOlder(status)],
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
  ]);
}

/** @param {import('../parts/dom.js').Child} text */
function line(text) {
  return h('span', { class: 'line muted' }, text);
}

/** @param {Status} status */
function provenOf({ provenSnapshot }) {
  if (provenSnapshot === undefined) return undefined;
  if (provenSnapshot === null) return 'none of the hub in use yet: verify one, or run a drill';
  const { how, at } = provenSnapshot;
  return [time(at), line(proofWords[how] ?? how)];
}

/** @param {Status} status */
function atRiskOf(status) {
  const { atRisk } = status;
  if (atRisk === undefined) return undefined;
  if (atRisk === null) return 'everything: there is no good snapshot';
  const { minutes, devicesEstimate, basis } = atRisk;
  const changes = devicesEstimate === null ? '' : `, about ${plural(Math.round(devicesEstimate), 'record')}`;
  return [`changes of the last ${duration(minutes * 60)}${changes}`, line(basis), asOfOlder(status)];
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
    typeof devicesNow === 'number' ? `${plural(devicesNow, 'record')} now` : '',
    typeof room === 'number' ? `room for ${number(room)} more` : '',
  ].filter((part) => part !== '');
  return [name, ...answersOf(target), parts.length > 0 && line(parts.join(', '))];
}

/**
 * Where a newer snapshot is suspect, of when the figures are that rest on the last good one.
 * @param {Status} status
 */
function asOfOlder({ findings = [], latestGoodSnapshot }) {
  const isOlder = findings.some(({ code }) => code === 'SnapshotSuspect') && latestGoodSnapshot !== null;
  return isOlder && line(['as of ', time(latestGoodSnapshot.readStartedAt), ': a newer snapshot is suspect']);
}

/** @param {Status} status */
function coverageOf(status) {
  const { coverage } = status;
  if (!coverage) return undefined;
  const { total, registered, restored, rewritten = 0, missing, percent } = coverage;
  const isLeast = rewritten > 0 && registered > 0 ? 'At least ' : '';
  return [
    `${isLeast}${number(registered)} of ${plural(total, 'record')} (${share(percent, registered)}) registered by themselves`,
    line(`${number(restored)} as restored, ${number(missing)} not there`),
    rewritten > 0 &&
      line(
        `${number(rewritten)} of those restored were written since the switch, by a restore or by their device: these may have registered, too`,
      ),
    asOfOlder(status),
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
        h('a', { href: restoreAddress(last.id), 'data-focus': 'sync' }, 'Last sync'),
        ' ',
        time(last.createdAt),
        ' ',
        statusBadge(last),
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
    statusBadge(lastBackup),
    status === 'Running' && line(`${phase}, ${plural(rowsRead ?? 0, 'registration')} read`),
    waiting !== undefined && line(waitingText(waiting)),
    error !== undefined && line(onOverview(error.message)),
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
    line([how, seconds === undefined ? '' : `, took ${duration(seconds)}`, reason ? `. ${onOverview(reason)}` : '']),
  ];
}
